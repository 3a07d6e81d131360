# The README's first command: it compiles its program as it says, and the program prints what it says.
#   cmake -D CXX=<compiler> -D WEFT=<source> -D EIGEN=<include> -D WORK=<folder> -P first_minute.cmake
cmake_minimum_required(VERSION 3.24)

file(READ "${WEFT}/README.md" readme)
if(NOT readme MATCHES "\ng\\+\\+ ([^\n]*) -I include -I /usr/include/eigen3 (examples/[a-z]+.cpp) && ./a.out\n")
    message(FATAL_ERROR "the README has no such command")
endif()
separate_arguments(flags UNIX_COMMAND "${CMAKE_MATCH_1}")
set(program "${CMAKE_MATCH_2}")
string(FIND "${readme}" "<!-- output of ${program} -->\n```\n" begin)
string(SUBSTRING "${readme}" ${begin} -1 expected)
string(REGEX REPLACE "^[^\n]*\n```\n([^`]*)```.*" "\\1" expected "${expected}")

file(MAKE_DIRECTORY "${WORK}")
execute_process(
    COMMAND "${CXX}" ${flags} -I "${WEFT}/include" -I "${EIGEN}" "${WEFT}/${program}"
    WORKING_DIRECTORY "${WORK}" COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY
)
execute_process(COMMAND "${WORK}/a.out" OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
if(NOT output STREQUAL expected)
    message(FATAL_ERROR "it prints\n${output}and not\n${expected}")
endif()
