# Helpers: kiwi_library(NAME SOURCES ... LINK ...), kiwi_program(...), kiwi_test(...).
# Every target gets the project's warnings as errors and the source root as include path.

function(kiwi_settings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
  if(KIWI_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${KIWI_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${KIWI_SANITIZE})
  endif()
endfunction()

function(kiwi_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(kiwi_${name} STATIC ${ARG_SOURCES})
  add_library(kiwi::${name} ALIAS kiwi_${name})
  set_target_properties(kiwi_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(kiwi_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include/kiwi/internal>)
  target_link_libraries(kiwi_${name} PUBLIC ${ARG_LINK})
  kiwi_settings(kiwi_${name})
endfunction()

function(kiwi_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  kiwi_settings(${name})
endfunction()

# A GoogleTest program; ctest runs it as one test of the same name.
function(kiwi_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest GTest::gtest_main)
  kiwi_settings(${name})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()
