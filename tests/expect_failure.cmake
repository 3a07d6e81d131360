# Runs a program that has to fail: by itself, not by a signal, with a message that matches EXPECTED.
#   cmake -D EXPECTED=<regex> -P expect_failure.cmake -- <program> <argument>...
cmake_minimum_required(VERSION 3.24)

set(command "")
set(after_dashes FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
    if(after_dashes)
        list(APPEND command "${CMAKE_ARGV${i}}")
    elseif(CMAKE_ARGV${i} STREQUAL "--")
        set(after_dashes TRUE)
    endif()
endforeach()

execute_process(COMMAND ${command} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE error)
message(STATUS "exit code: ${code}\n${error}")
if(NOT code MATCHES "^[1-9][0-9]*$" OR code GREATER 127)
    message(FATAL_ERROR "expected an exit code from 1 to 127\n${output}")
endif()
if(NOT error MATCHES "${EXPECTED}")
    message(FATAL_ERROR "expected a message that matches: ${EXPECTED}")
endif()
