# Third-party libraries. Debian's own are found where the system has them; the pinned ones lie under TIDEMILL_DEPS_DIR,
# which scripts/setup.sh fills. Any of them can be had elsewhere: set the variable named beside it.

set(deps_default ${CMAKE_SOURCE_DIR}/.deps)
if(NOT EXISTS ${deps_default} AND EXISTS ${CMAKE_SOURCE_DIR}/.git AND NOT IS_DIRECTORY ${CMAKE_SOURCE_DIR}/.git)
  # A linked git worktree shares the .deps of the checkout it belongs to.
  file(STRINGS ${CMAKE_SOURCE_DIR}/.git git_file LIMIT_COUNT 1)
  if(git_file MATCHES "^gitdir: (.*)/\\.git/worktrees/")
    set(deps_default ${CMAKE_MATCH_1}/.deps)
  endif()
endif()
if(DEFINED ENV{TIDEMILL_DEPS_DIR})
  set(deps_default $ENV{TIDEMILL_DEPS_DIR})
endif()

set(TIDEMILL_DEPS_DIR ${deps_default} CACHE PATH "Where scripts/setup.sh put the pinned libraries")
set(TIDEMILL_ARROW_ROOT ${TIDEMILL_DEPS_DIR}/arrow CACHE PATH "Folder with include/arrow and lib/libarrow.so")
set(TIDEMILL_ORT_ROOT ${TIDEMILL_DEPS_DIR}/onnxruntime CACHE PATH "Folder with include/ and lib/ of ONNX Runtime")
set(TIDEMILL_ORT_HEADER_DIR ${TIDEMILL_ORT_ROOT}/include CACHE PATH "Folder with onnxruntime_c_api.h")
set(TIDEMILL_ORT_LIBRARY ${TIDEMILL_ORT_ROOT}/lib/libonnxruntime.so.1 CACHE FILEPATH
    "ONNX Runtime library opened at run time when the configuration names none")
set(TIDEMILL_KAFKA_SCHEMAS ${TIDEMILL_DEPS_DIR}/kafka-schemas CACHE PATH "Folder with Kafka's message schemas (*.json)")

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(CLI11 REQUIRED)
find_package(absl REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(Snappy REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)

# tidemill_find_plain(NAME library header): a system library without a usable CMake package.
function(tidemill_find_plain name library header)
  string(TOUPPER ${name} upper)
  find_library(TIDEMILL_${upper}_LIBRARY ${library} REQUIRED)
  find_path(TIDEMILL_${upper}_INCLUDE ${header} REQUIRED)
  mark_as_advanced(TIDEMILL_${upper}_LIBRARY TIDEMILL_${upper}_INCLUDE)
  add_library(tidemill_${name} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(tidemill_${name} PROPERTIES
    IMPORTED_LOCATION ${TIDEMILL_${upper}_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${TIDEMILL_${upper}_INCLUDE})
endfunction()

tidemill_find_plain(re2 re2 re2/re2.h)
tidemill_find_plain(cctz cctz cctz/time_zone.h)
tidemill_find_plain(edit edit histedit.h)
tidemill_find_plain(roaring roaring roaring/roaring.h)
tidemill_find_plain(xxhash xxhash xxhash.h)
tidemill_find_plain(zstd zstd zstd.h)
tidemill_find_plain(lz4 lz4 lz4frame.h)
tidemill_find_plain(protobuf protobuf google/protobuf/compiler/parser.h)
tidemill_find_plain(rdkafka rdkafka librdkafka/rdkafka.h)

add_library(tidemill_third_party INTERFACE)
target_link_libraries(tidemill_third_party INTERFACE
  Threads::Threads OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB Boost::headers fmt::fmt spdlog::spdlog simdjson::simdjson
  CLI11::CLI11 absl::flat_hash_map absl::flat_hash_set nlohmann_json::nlohmann_json yaml-cpp Snappy::snappy
  tidemill_re2 tidemill_cctz tidemill_edit tidemill_roaring tidemill_xxhash tidemill_zstd tidemill_lz4 tidemill_rdkafka tidemill_protobuf
  ${CMAKE_DL_LIBS})
target_compile_definitions(tidemill_third_party INTERFACE
  BOOST_ASIO_NO_DEPRECATED SPDLOG_FMT_EXTERNAL SPDLOG_COMPILED_LIB)

if(NOT EXISTS ${TIDEMILL_ARROW_ROOT}/include/arrow/api.h)
  message(FATAL_ERROR "No Arrow under ${TIDEMILL_ARROW_ROOT}. Run scripts/setup.sh, or set TIDEMILL_ARROW_ROOT "
                      "(a folder with include/arrow/api.h and lib/libarrow.so) or TIDEMILL_DEPS_DIR.")
endif()
add_library(tidemill_arrow INTERFACE)
add_library(tidemill::arrow ALIAS tidemill_arrow)
target_include_directories(tidemill_arrow SYSTEM INTERFACE ${TIDEMILL_ARROW_ROOT}/include)
target_compile_definitions(tidemill_arrow INTERFACE ARROW_NO_DEPRECATED_API)
foreach(part parquet arrow_compute arrow)
  add_library(tidemill_${part}_library SHARED IMPORTED GLOBAL)
  file(GLOB versioned ${TIDEMILL_ARROW_ROOT}/lib/lib${part}.so.*)
  list(GET versioned 0 versioned)
  set_target_properties(tidemill_${part}_library PROPERTIES IMPORTED_LOCATION ${versioned})
  target_link_libraries(tidemill_arrow INTERFACE tidemill_${part}_library)
endforeach()

# Prebuilt Arrow carries RE2, simdjson and OpenSSL of its own (see scripts/hide_symbols.py). Linkers take a symbol from the
# first library that lists it, hidden or not: these lines keep the system's three before Arrow in every link.
set_property(TARGET tidemill_re2 simdjson::simdjson OpenSSL::Crypto APPEND PROPERTY
             INTERFACE_LINK_LIBRARIES tidemill_parquet_library tidemill_arrow_compute_library)

# ONNX Runtime is opened by dlopen: only its C header is needed to build.
add_library(tidemill_onnxruntime INTERFACE)
add_library(tidemill::onnxruntime ALIAS tidemill_onnxruntime)
if(NOT EXISTS ${TIDEMILL_ORT_HEADER_DIR}/onnxruntime_c_api.h)
  message(WARNING "No onnxruntime_c_api.h in ${TIDEMILL_ORT_HEADER_DIR}: run scripts/setup.sh, or set "
                  "TIDEMILL_ORT_HEADER_DIR. The model room will not compile without it.")
endif()
target_include_directories(tidemill_onnxruntime SYSTEM INTERFACE ${TIDEMILL_ORT_HEADER_DIR})
