# How a module, a connector and a test are declared. One call each.

# One precompiled header for the product and one for the tests: all targets share flags, so all can share them.
add_library(tributary_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
target_link_libraries(tributary_pch PUBLIC tributary_options third_party_asio fmt::fmt)
target_precompile_headers(tributary_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.hpp)
if(TRIBUTARY_TESTS)
  add_library(tributary_test_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
  target_link_libraries(tributary_test_pch PUBLIC tributary_options third_party_asio fmt::fmt GTest::gmock)
  target_precompile_headers(tributary_test_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch_test.hpp)
endif()

# tributary_batches(target source…)
# The sources are compiled a few at a time. A new clash of private names within a batch: run cmake again, it sorts anew.
function(tributary_batches target)
  if(NOT TRIBUTARY_BATCHES)
    return()
  endif()
  execute_process(COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/batch_sources.py
                          --include ${CMAKE_SOURCE_DIR}/src --include ${CMAKE_SOURCE_DIR} ${ARGN}
                  WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE lines OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" lines "${lines}")
  foreach(line ${lines})
    string(REGEX MATCH "^([0-9]+) (.+)$" line "${line}")
    set_source_files_properties(${CMAKE_MATCH_2} PROPERTIES UNITY_GROUP ${target}_${CMAKE_MATCH_1})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()

# tributary_test(name LIBRARIES … [SOURCES …] [LABELS …])
# One gtest executable; every case is a test of its own in CTest.
function(tributary_test name)
  cmake_parse_arguments(T "" "TIMEOUT" "LIBRARIES;SOURCES;LABELS" ${ARGN})
  if(NOT TRIBUTARY_TESTS OR NOT T_SOURCES)
    return()
  endif()
  if(NOT T_LABELS)
    set(T_LABELS unit)
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE ${T_LIBRARIES} tributary_options third_party_asio fmt::fmt
                        GTest::gmock GTest::gmock_main)
  target_precompile_headers(${name} REUSE_FROM tributary_test_pch)
  tributary_batches(${name} ${T_SOURCES})
  target_compile_definitions(${name} PRIVATE TRIBUTARY_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX ${name}.
                       PROPERTIES LABELS "${T_LABELS}" TIMEOUT ${T_TIMEOUT})
endfunction()

# tributary_module(name DEPENDS <modules> [LIBRARIES <third party>])
# A folder of src/: its *.cpp become the library tributary_<name>, its tests/*_test.cpp the executable <name>_test.
function(tributary_module name)
  cmake_parse_arguments(M "" "" "DEPENDS;LIBRARIES" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/tests/")
  list(TRANSFORM M_DEPENDS PREPEND tributary_ OUTPUT_VARIABLE depends)
  if(sources)
    add_library(tributary_${name} STATIC ${sources})
    target_link_libraries(tributary_${name} PUBLIC ${depends} tributary_options third_party_asio fmt::fmt ${M_LIBRARIES})
    target_precompile_headers(tributary_${name} REUSE_FROM tributary_pch)
    tributary_batches(tributary_${name} ${sources})
  else()
    add_library(tributary_${name} INTERFACE)
    target_link_libraries(tributary_${name} INTERFACE ${depends} tributary_options third_party_asio fmt::fmt ${M_LIBRARIES})
  endif()
  file(GLOB tests CONFIGURE_DEPENDS ${dir}/tests/*_test.cpp)
  tributary_test(${name}_test SOURCES ${tests} LIBRARIES tributary_${name})

  file(GLOB fuzzers CONFIGURE_DEPENDS ${dir}/tests/fuzz/*_fuzz.cpp)
  foreach(source ${fuzzers})
    get_filename_component(target ${source} NAME_WE)
    tributary_fuzz(${target} ${source} ${dir}/tests/fuzz/corpus/${target} tributary_${name})
  endforeach()
endfunction()

# tributary_connector([LIBRARIES <third party>])
# A folder of connectors/: schemas become typed settings, connector.json, the schemas and the guide are embedded.
function(tributary_connector)
  cmake_parse_arguments(C "" "" "LIBRARIES" ${ARGN})
  get_filename_component(name ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  set(dir ${CMAKE_CURRENT_SOURCE_DIR})
  set(out ${CMAKE_BINARY_DIR}/generated/connectors/${name})
  file(GLOB schemas CONFIGURE_DEPENDS ${dir}/connection.schema.json ${dir}/functions/*.schema.json)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/src/*.cpp ${dir}/simulator/*.cpp)
  set(resources ${dir}/connector.json ${dir}/guide.md ${schemas})

  add_custom_command(OUTPUT ${out}/settings.hpp ${out}/settings.cpp
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/generate_settings.py --connector ${dir} --output ${out}
    DEPENDS ${CMAKE_SOURCE_DIR}/tools/generate_settings.py ${CMAKE_SOURCE_DIR}/tools/settings_schema.py ${schemas}
    COMMENT "Typed settings of ${name}")
  add_custom_command(OUTPUT ${out}/resources.cpp ${out}/resources.hpp ${out}/resources.S
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/embed_files.py --connector ${dir} --output ${out}
    DEPENDS ${CMAKE_SOURCE_DIR}/tools/embed_files.py ${resources}
    COMMENT "Resources of ${name}")
  set_source_files_properties(${out}/resources.S PROPERTIES OBJECT_DEPENDS "${resources}")

  add_library(connector_${name} STATIC ${sources} ${out}/settings.cpp ${out}/resources.cpp ${out}/resources.S)
  target_include_directories(connector_${name} PUBLIC ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(connector_${name} PUBLIC tributary_sdk ${C_LIBRARIES})
  target_precompile_headers(connector_${name} REUSE_FROM tributary_pch)
  tributary_batches(connector_${name} ${sources})
  set_property(GLOBAL APPEND PROPERTY TRIBUTARY_CONNECTORS ${name})

  file(GLOB tests CONFIGURE_DEPENDS ${dir}/tests/*_test.cpp)
  tributary_test(${name}_test SOURCES ${tests} LIBRARIES connector_${name} tributary_testing)

  file(GLOB fuzzers CONFIGURE_DEPENDS ${dir}/tests/fuzz/*_fuzz.cpp)
  foreach(source ${fuzzers})
    get_filename_component(target ${source} NAME_WE)
    tributary_fuzz(${target} ${source} ${dir}/tests/fuzz/corpus/${target} connector_${name})
  endforeach()
endfunction()

# tributary_fuzz(name source corpus library)
# With TRIBUTARY_FUZZ: a libFuzzer program. Otherwise the same function replays its corpus as a test.
function(tributary_fuzz name source corpus library)
  if(TRIBUTARY_FUZZ)
    add_executable(${name} ${source})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${name} PRIVATE ${library})
  elseif(TRIBUTARY_TESTS)
    add_executable(${name} ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz_replay.cpp)
    target_link_libraries(${name} PRIVATE ${library})
    add_test(NAME fuzz.${name} COMMAND ${name} ${corpus})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()
