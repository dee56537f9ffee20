# The actors of a replica under a deterministic scheduler. Included by CMakeLists.txt of this folder.
kiwi_test(actor_test
  SOURCES
    actor_world.cpp
    raft_world.cpp
    adaptor_test.cpp
    client_connection_test.cpp
    log_store_actor_test.cpp
    node_actor_test.cpp
    prompt_log_actor_test.cpp
    prompt_machine_actor_test.cpp
    state_machine_actor_test.cpp
    raft_answers_test.cpp
    raft_reads_test.cpp
    raft_leadership_test.cpp
    raft_lost_leader_test.cpp
    raft_ticks_test.cpp
    raft_admin_test.cpp
    raft_members_test.cpp
    raft_end_test.cpp
    replica_test.cpp
  LINK kiwi::actors kiwi::storage_testing)
target_precompile_headers(actor_test PRIVATE <caf/all.hpp> <caf/scheduler/test_coordinator.hpp> <gmock/gmock.h>)

kiwi_test(actors_room_watch_test
  SOURCES room_watch_test.cpp
  LINK kiwi::actors)

kiwi_test(actors_join_dialogue_test
  SOURCES join_dialogue_test.cpp
  LINK kiwi::actors)
