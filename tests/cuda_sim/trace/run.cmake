# Builds the project in this folder with clang, in the folder WORK, and runs its programs:
#   cmake -D CXX=<clang++> -D WORK=<folder> -D DOCTEST_INCLUDE=<folder> -P run.cmake
cmake_minimum_required(VERSION 3.24)

function(run)
    execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}" "-DCMAKE_CXX_COMPILER=${CXX}"
    "-DDOCTEST_INCLUDE=${DOCTEST_INCLUDE}"
)
run("${CMAKE_COMMAND}" --build "${WORK}" --parallel 2)
run("${WORK}/trace_test")
run("${WORK}/transactions")
