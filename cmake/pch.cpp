// Carries the precompiled headers; see Modules.cmake.
