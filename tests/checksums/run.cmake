# Bits stay what they were: the checksums of all networks of the example are those in the file for this
# compiler, this Eigen and these instructions, in Release's kind of build. Prints "skipped" where there is
# no file, or the processor lacks the instructions. A change that is meant to change bits says so, and puts
# the file that was written in the place of the old one.
#   cmake -D CXX=<compiler> -D WEFT=<source> -D EIGEN=<include> -D WORK=<folder> -D ARCHITECTURE=<-march> -P run.cmake
# Or with -D PROGRAM=<main.cpp, linked to weft::kernels>, which computes as if it was compiled so.
cmake_minimum_required(VERSION 3.24)

set(needed_x86-64-v3 avx2)
set(needed_x86-64-v4 avx512dq)
set(processor "")
if(EXISTS /proc/cpuinfo)
    file(STRINGS /proc/cpuinfo processor REGEX "^flags")
endif()
if(NOT processor MATCHES " ${needed_${ARCHITECTURE}}[ ;]")
    message(STATUS "skipped: this processor has no ${needed_${ARCHITECTURE}}")
    return()
endif()

file(MAKE_DIRECTORY "${WORK}")
set(program "${PROGRAM}")
if(NOT PROGRAM)
    set(program "${WORK}/${ARCHITECTURE}")
    execute_process(
        COMMAND "${CXX}" -std=c++20 -O2 -march=${ARCHITECTURE} -I "${WEFT}/include" -I "${WEFT}" -I "${EIGEN}"
                "${CMAKE_CURRENT_LIST_DIR}/main.cpp" -o "${program}"
        COMMAND_ERROR_IS_FATAL ANY
    )
endif()
execute_process(COMMAND "${program}" OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)

string(FIND "${output}" "\n" end)
string(SUBSTRING "${output}" 0 ${end} build)
math(EXPR end "${end} + 1")
string(SUBSTRING "${output}" ${end} -1 found)
if(NOT found MATCHES "^mlp [0-9a-f]+\n")
    message(FATAL_ERROR "no checksums in: ${output}")
endif()
set(name "${build}_${ARCHITECTURE}.txt")
file(WRITE "${WORK}/${name}" "${found}")
if(NOT EXISTS "${CMAKE_CURRENT_LIST_DIR}/${name}")
    message(STATUS "skipped: there are no checksums for ${build}")
    return()
endif()
file(READ "${CMAKE_CURRENT_LIST_DIR}/${name}" expected)
if(NOT found STREQUAL expected)
    message(FATAL_ERROR "other bits than before, expected\n${expected}found (${WORK}/${name})\n${found}")
endif()
