# weir_library(NAME SOURCES ... DEPENDS ... [HEAVY ...]): one library a folder of userspace/, included as "folder/file.h". HEAVY: third-party
# headers that most of its sources include; they are compiled once.
# weir_test(NAME SOURCES ... DEPENDS ...): a GoogleTest program, run by ctest as one test.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
include(CheckCXXCompilerFlag)

add_library(weir_flags INTERFACE)
target_include_directories(weir_flags INTERFACE ${PROJECT_SOURCE_DIR}/userspace ${PROJECT_SOURCE_DIR})
target_compile_options(weir_flags INTERFACE -Wall -Wextra -Wshadow $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
  -fstack-protector-strong -fcf-protection)
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" OR CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(weir_flags INTERFACE $<$<NOT:$<BOOL:${WEIR_SANITIZE}>>:_FORTIFY_SOURCE=2>)
endif()
# g++ 12 sees overlaps in std::string's operator+ that are none (GCC bugs 105329, 105651), and says so where headers are precompiled.
target_compile_options(weir_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds -Wno-restrict -Wno-stringop-overflow>)
target_compile_definitions(weir_flags INTERFACE _GNU_SOURCE _GLIBCXX_ASSERTIONS WEIR_VERSION="${PROJECT_VERSION}")
target_link_options(weir_flags INTERFACE -Wl,-z,relro,-z,now)
if(WEIR_WERROR)
  target_compile_options(weir_flags INTERFACE -Werror)
endif()
if(WEIR_FUZZ)
  target_compile_options(weir_flags INTERFACE -fsanitize=fuzzer-no-link)  # coverage of the libraries under test
endif()
if(WEIR_SANITIZE)
  target_compile_options(weir_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(weir_flags INTERFACE -fsanitize=address,undefined)
endif()

# Half of a build was reading the same headers again for each source.
set(WEIR_COMMON_HEADERS <algorithm> <array> <chrono> <functional> <map> <memory> <optional> <set> <span> <string> <string_view>
  <unordered_map> <utility> <vector>)
function(weir_precompile name)
  list(TRANSFORM ARGN REPLACE "(.+)" "$<$<COMPILE_LANGUAGE:CXX>:\\1>")
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

function(weir_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;HEAVY" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC weir_flags ${ARG_DEPENDS})
  weir_precompile(${name} ${WEIR_COMMON_HEADERS} ${ARG_HEAVY})
endfunction()

function(weir_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LABELS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  # A third of the time of -O2; what is tested is compiled as it is shipped. Debug builds are for a quick look.
  target_compile_options(${name} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O1>)
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} weir_flags GTest::gtest GTest::gmock GTest::gtest_main)
  weir_precompile(${name} ${WEIR_COMMON_HEADERS} <gtest/gtest.h> <gmock/gmock.h>)
  target_compile_definitions(${name} PRIVATE WEIR_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
    WEIR_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
  if(ARG_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}")
  endif()
endfunction()
