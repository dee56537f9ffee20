# cmake --install: bin/kiwi-node, the libraries, and the package that find_package(kiwi) finds.
#
#   include/kiwi/            the public face, #include <kiwi/...>
#   include/kiwi/internal/   the headers it stands on, by their paths in this tree; for kiwi::kiwi and the parts
#                            these are on the include path
#   lib/cmake/kiwi/          kiwiConfig.cmake, and how to find what has no CMake files of its own
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(KIWI_PARTS messages raft storage statemachine server actors)
set(KIWI_PART_TARGETS ${KIWI_PARTS})
list(TRANSFORM KIWI_PART_TARGETS PREPEND kiwi_)
install(TARGETS kiwi kiwi_embedding ${KIWI_PART_TARGETS} EXPORT kiwiTargets)
install(TARGETS kiwi-node)

install(DIRECTORY include/kiwi DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
foreach(part IN LISTS KIWI_PARTS)
  install(DIRECTORY ${part} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/kiwi/internal
    FILES_MATCHING PATTERN "*.hpp" PATTERN "testing" EXCLUDE)
endforeach()

set(KIWI_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/kiwi)
install(EXPORT kiwiTargets NAMESPACE kiwi:: DESTINATION ${KIWI_PACKAGE_DIR})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/kiwiConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/kiwiConfig.cmake INSTALL_DESTINATION ${KIWI_PACKAGE_DIR})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/kiwiConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/package/kiwiConfig.cmake
  ${PROJECT_BINARY_DIR}/package/kiwiConfigVersion.cmake
  ${CMAKE_CURRENT_LIST_DIR}/FindCAF.cmake
  ${CMAKE_CURRENT_LIST_DIR}/FindxxHash.cmake
  ${CMAKE_CURRENT_LIST_DIR}/FindLZ4.cmake
  DESTINATION ${KIWI_PACKAGE_DIR})
