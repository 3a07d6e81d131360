# Uses weft in one of the ways of docs/installing.md, or looks at it with a debugger:
#   cmake -D WAY=pkg_config|fetch_content|cpm|single_header|compiler_explorer|debuggers|conan -D WORK=<folder> ... -P run.cmake
# Where a tool is missing it says "skipped: ".
cmake_minimum_required(VERSION 3.24)

set(consumer "${WEFT}/tests/consumer")

# In the folder for the work, where the programs write their files.
function(run)
    execute_process(
        COMMAND ${ARGV} WORKING_DIRECTORY "${WORK}" COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY
    )
endfunction()

# need(<variable> <program>...): ends the test where there is none of them.
macro(need variable)
    find_program(${variable} NAMES ${ARGN})
    if(NOT ${variable})
        message(STATUS "skipped: there is no ${ARGN}")
        return()
    endif()
endmacro()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
include("${CMAKE_CURRENT_LIST_DIR}/${WAY}.cmake")
