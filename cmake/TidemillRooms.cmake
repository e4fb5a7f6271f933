# Targets made from folders. Files are found by name, so adding a source needs no edit here.

set(TIDEMILL_ROOMS "" CACHE INTERNAL "rooms declared so far, lowest first")
set(TIDEMILL_TEST_RESULTS ${CMAKE_BINARY_DIR}/test-results)

# The one precompiled header of all rooms above base. It is named with <> so that its text holds no path and compiler
# caches can share it between checkouts.
file(WRITE ${CMAKE_BINARY_DIR}/pch/pch.cc.in "// Carries the shared precompiled header.\n")
configure_file(${CMAKE_BINARY_DIR}/pch/pch.cc.in ${CMAKE_BINARY_DIR}/pch/pch.cc COPYONLY)
add_library(tidemill_pch STATIC ${CMAKE_BINARY_DIR}/pch/pch.cc)
target_include_directories(tidemill_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake)
target_link_libraries(tidemill_pch PRIVATE tidemill_options tidemill_third_party tidemill_arrow)
target_precompile_headers(tidemill_pch PRIVATE <pch.h>)

# tidemill_test(name sources... LINKS targets... [PCH]): a GoogleTest program that runs from the repository root.
function(tidemill_test name)
  cmake_parse_arguments(ARG "PCH" "" "LINKS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gtest GTest::gtest_main)
  if(ARG_PCH)
    target_precompile_headers(${name} REUSE_FROM tidemill_pch)
  endif()
  add_test(NAME ${name} COMMAND ${name} --gtest_output=xml:${TIDEMILL_TEST_RESULTS}/${name}.xml
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set(environment
    "TIDEMILL_BUILD_DIR=${CMAKE_BINARY_DIR}"
    "TSAN_OPTIONS=halt_on_error=1 die_after_fork=0 suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp"
    "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/lsan.supp"
    "UBSAN_OPTIONS=print_stacktrace=1")
  if(TIDEMILL_SANITIZE)
    # The sanitizers see only what malloc gives: Arrow's own pool would hide a write past the end of a column.
    list(APPEND environment "ARROW_DEFAULT_MEMORY_POOL=system")
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT 900 ENVIRONMENT "${environment}")
endfunction()

# tidemill_room(NAME [USES targets...] [PCH] [GENERATED files...]): library tidemill_NAME from src/NAME and from files that
# are made under build/<preset>/generated, program NAME_tests from the files named *_test.cc and those in folders named
# tests. A room links every room declared before it.
function(tidemill_room name)
  cmake_parse_arguments(ARG "PCH" "" "USES;GENERATED" ${ARGN})
  set(folder ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "/tests/|_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/tests/|_test\\.cc$|_fuzz\\.cc$")
  list(REMOVE_ITEM sources ${folder}/main.cc)

  set(lower ${TIDEMILL_ROOMS})
  list(TRANSFORM lower PREPEND tidemill_)
  set(links ${lower} ${ARG_USES} tidemill_third_party tidemill_options)
  if(sources)
    add_library(tidemill_${name} STATIC ${sources} ${ARG_GENERATED})
    if(ARG_GENERATED)
      target_include_directories(tidemill_${name} PUBLIC ${CMAKE_BINARY_DIR}/generated)
    endif()
    target_link_libraries(tidemill_${name} PUBLIC ${links})
    if(ARG_PCH)
      target_precompile_headers(tidemill_${name} REUSE_FROM tidemill_pch)
    endif()
  else()
    add_library(tidemill_${name} INTERFACE)
    target_link_libraries(tidemill_${name} INTERFACE ${links})
  endif()
  set(TIDEMILL_ROOMS ${TIDEMILL_ROOMS} ${name} CACHE INTERNAL "rooms declared so far, lowest first")

  set(test_cases ${tests})
  list(FILTER test_cases INCLUDE REGEX "_test\\.cc$")
  if(test_cases)
    set(pch)
    if(ARG_PCH)
      set(pch PCH)
    endif()
    tidemill_test(${name}_tests ${tests} LINKS tidemill_${name} ${pch})
  endif()
endfunction()

# tidemill_program(NAME main): an executable over every room, once its main file is there.
function(tidemill_program name main)
  file(GLOB found CONFIGURE_DEPENDS ${main})
  if(found)
    add_executable(${name} ${found})
    target_link_libraries(${name} PRIVATE tidemill_server)
    target_precompile_headers(${name} REUSE_FROM tidemill_pch)
  endif()
endfunction()

# tidemill_benchmarks(folder): one program bench_<file> for each .cc, built only by the target `bench`.
function(tidemill_benchmarks folder)
  add_custom_target(bench)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.cc)
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    add_executable(bench_${stem} EXCLUDE_FROM_ALL ${file})
    target_link_libraries(bench_${stem} PRIVATE tidemill_server benchmark::benchmark)
    target_precompile_headers(bench_${stem} REUSE_FROM tidemill_pch)
    add_dependencies(bench bench_${stem})
  endforeach()
endfunction()

# tidemill_fuzzers(folder): one program <name>_fuzz for each <name>_fuzz.cc, built only by the target `fuzzers`.
function(tidemill_fuzzers folder)
  add_custom_target(fuzzers)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*_fuzz.cc)
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      add_executable(${stem} EXCLUDE_FROM_ALL ${file})
      target_compile_options(${stem} PRIVATE -fsanitize=fuzzer)
      target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
    else()
      add_executable(${stem} EXCLUDE_FROM_ALL ${file} ${folder}/corpus_main.cc)
    endif()
    target_link_libraries(${stem} PRIVATE tidemill_server)
    add_dependencies(fuzzers ${stem})
  endforeach()
endfunction()

# Checks of the sources themselves that need no build.
function(tidemill_repository_checks)
  find_package(Python3 COMPONENTS Interpreter)
  if(NOT Python3_FOUND)
    return()
  endif()
  foreach(check includes style format)
    file(GLOB script CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/scripts/check_${check}.py)
    if(script)
      add_test(NAME check_${check} COMMAND ${Python3_EXECUTABLE} ${script} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
      # What a check says when the program that it needs is not there.
      set_tests_properties(check_${check} PROPERTIES SKIP_RETURN_CODE 77)
    endif()
  endforeach()
endfunction()
