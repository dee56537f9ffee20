# The peer network: frames over two lanes of TCP to every other node.
set(KIWI_PEER_SOURCES
  peer_connection.cpp
  peer_dialer.cpp
  peer_hello.cpp
  peer_out_queue.cpp
  peer_socket.cpp)
