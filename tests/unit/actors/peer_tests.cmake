# The peer network on real loopback sockets. Included by CMakeLists.txt of this folder.
kiwi_test(peer_test
  SOURCES
    peer_test_kit.cpp
    peer_connection_test.cpp
    peer_network_test.cpp
    peer_parts_test.cpp
    peer_server_test.cpp
  LINK kiwi::actors)
target_precompile_headers(peer_test PRIVATE <caf/all.hpp> <caf/io/all.hpp>)
