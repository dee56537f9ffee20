# The peer network on real loopback sockets. Included by CMakeLists.txt of this folder.
kiwi_test(peer_test
  SOURCES
    peer_test_kit.cpp
    peer_network_test.cpp
  LINK kiwi::actors)
target_precompile_headers(peer_test PRIVATE <caf/all.hpp> <caf/io/all.hpp>)
