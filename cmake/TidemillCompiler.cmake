# Compiler, linker and sanitizer settings shared by every target of ours.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()

set(TIDEMILL_MARCH "x86-64-v2" CACHE STRING "Value of -march=; empty leaves the compiler's default")
set(TIDEMILL_SANITIZE "" CACHE STRING "Value of -fsanitize=, for example address,undefined or thread")
option(TIDEMILL_WERROR "Treat warnings as errors" ON)
option(TIDEMILL_CCACHE "Compile through ccache when it is installed" ON)

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")

# One link at a time: a link of the whole engine takes the most memory of all steps.
set_property(GLOBAL PROPERTY JOB_POOLS link=1)
set(CMAKE_JOB_POOL_LINK link)

if(TIDEMILL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(TIDEMILL_CCACHE_PROGRAM ccache)
  if(TIDEMILL_CCACHE_PROGRAM)
    # A precompiled header is cached only with these two allowances.
    set(CMAKE_CXX_COMPILER_LAUNCHER env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${TIDEMILL_CCACHE_PROGRAM})
  endif()
endif()

add_library(tidemill_options INTERFACE)
target_compile_options(tidemill_options INTERFACE
  -Wall -Wextra
  -Wno-missing-field-initializers  # designated initialisers leave out fields on purpose
  -Wno-maybe-uninitialized         # false alarms of GCC 12 in std::optional and std::variant at -O2
  -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds -Wno-restrict  # the same in std::string
  -fpch-preprocess)
if(TIDEMILL_WERROR)
  target_compile_options(tidemill_options INTERFACE -Werror)
endif()
if(TIDEMILL_MARCH)
  target_compile_options(tidemill_options INTERFACE -march=${TIDEMILL_MARCH})
endif()

if(TIDEMILL_SANITIZE)
  target_compile_options(tidemill_options INTERFACE -fsanitize=${TIDEMILL_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(tidemill_options INTERFACE -fsanitize=${TIDEMILL_SANITIZE})
  if(TIDEMILL_SANITIZE MATCHES "thread")
    target_compile_options(tidemill_options INTERFACE -Wno-tsan)  # Asio's own fences
  endif()
  if(TIDEMILL_SANITIZE MATCHES "undefined")
    # vptr needs the type information of every library we link, which prebuilt ones hide; the address sanitizer sees what
    # the other three look for, and they take a third of the build.
    target_compile_options(tidemill_options INTERFACE -fno-sanitize-recover=undefined
                           -fno-sanitize=vptr,null,object-size,pointer-overflow)
  endif()
endif()

if(CMAKE_UNITY_BUILD)
  # What is of one file alone: file-local names are unique within a room, so that its files can be compiled as one.
  target_compile_options(tidemill_options INTERFACE -Wno-subobject-linkage)
endif()

find_program(TIDEMILL_MOLD mold)
if(TIDEMILL_MOLD)
  target_link_options(tidemill_options INTERFACE -fuse-ld=mold)
endif()
target_link_options(tidemill_options INTERFACE -Wl,--as-needed)
target_include_directories(tidemill_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
