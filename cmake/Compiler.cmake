# One set of flags for every target.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

add_library(tributary_options INTERFACE)
target_include_directories(tributary_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
target_compile_options(tributary_options INTERFACE
  -Wall -Wextra -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  -fPIE -fno-omit-frame-pointer -fstack-protector-strong -fdiagnostics-color=always)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these in code it made itself for coroutines and std::variant.
  target_compile_options(tributary_options INTERFACE
    -Wno-maybe-uninitialized -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
    -Wno-mismatched-new-delete -Wno-dangling-pointer -fpch-preprocess)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(tributary_options INTERFACE -Wno-sign-conversion -Wno-unused-private-field)
endif()

set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(tributary_options INTERFACE _FORTIFY_SOURCE=2)
  target_compile_options(tributary_options INTERFACE -fcf-protection=full)
  target_link_options(tributary_options INTERFACE -pie -Wl,-z,relro,-z,now)
endif()

if(TRIBUTARY_SANITIZE)
  target_compile_options(tributary_options INTERFACE -fsanitize=${TRIBUTARY_SANITIZE} -O1)
  target_link_options(tributary_options INTERFACE -fsanitize=${TRIBUTARY_SANITIZE})
endif()
if(TRIBUTARY_FUZZ)
  target_compile_options(tributary_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(TRIBUTARY_COVERAGE)
  target_compile_options(tributary_options INTERFACE --coverage)
  target_link_options(tributary_options INTERFACE --coverage)
endif()

# Switched off, every file is compiled alone: shorter waits while one file is edited, and a missing include shows.
option(TRIBUTARY_BATCHES "Compile the sources of a target in batches (tools/batch_sources.py)" ON)
if(TRIBUTARY_BATCHES AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # A batch includes its sources: the compiler takes what is private to one of them for a header's.
  target_compile_options(tributary_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  target_link_options(tributary_options INTERFACE -fuse-ld=mold)
endif()
