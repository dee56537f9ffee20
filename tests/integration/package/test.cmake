# find_package(kiwi) from an outside project. Included by tests/CMakeLists.txt.
add_test(NAME package_install COMMAND ${CMAKE_COMMAND}
  -D SOURCE=${PROJECT_SOURCE_DIR} -D BUILD=${PROJECT_BINARY_DIR}
  -D WORK=${CMAKE_CURRENT_BINARY_DIR}/package_install
  -D GENERATOR=${CMAKE_GENERATOR} -D COMPILER=${CMAKE_CXX_COMPILER}
  -P ${CMAKE_CURRENT_LIST_DIR}/run.cmake)
set_tests_properties(package_install PROPERTIES TIMEOUT 300 LABELS slow)
