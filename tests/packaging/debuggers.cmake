# gdb shows tensors, shapes and models by packaging/debuggers/weft_gdb.py; weft.natvis names what is there.
need(GDB gdb)
execute_process(
    COMMAND "${GDB}" -nx -batch -ex "python import xml.etree.ElementTree" RESULT_VARIABLE code
    ERROR_VARIABLE error
)
if(code OR error)
    message(STATUS "skipped: this gdb has no Python: ${error}")
    return()
endif()
run("${CXX}" -std=c++20 -O0 -g -I "${WEFT}/include" -isystem "${EIGEN}"
    "${CMAKE_CURRENT_LIST_DIR}/debugged.cpp" -o debugged
)
execute_process(
    COMMAND "${GDB}" -nx -batch -ex "python folder = '${WEFT}/packaging/debuggers'" -x
            "${CMAKE_CURRENT_LIST_DIR}/check_debuggers.py" "${WORK}/debugged"
    RESULT_VARIABLE code
    OUTPUT_VARIABLE output
    ERROR_VARIABLE error
)
if(error MATCHES "ptrace: Operation not permitted")
    message(STATUS "skipped: gdb may not start programs here")
elseif(NOT output MATCHES "all as expected")
    message(FATAL_ERROR "exit code ${code}\n${output}\n${error}")
endif()
