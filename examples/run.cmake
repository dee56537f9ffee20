# Runs PROGRAM with the folder DATA, empty at the start; fails when the program does.
file(REMOVE_RECURSE ${DATA})
execute_process(COMMAND ${PROGRAM} ${DATA} RESULT_VARIABLE result)
file(REMOVE_RECURSE ${DATA})
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ended with ${result}")
endif()
