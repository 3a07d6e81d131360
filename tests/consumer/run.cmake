# Builds and runs the project in this folder in one of the three ways to use weft:
#   cmake -D WAY=installed|subdirectory|command_line -D WORK=<folder> ... -P run.cmake
cmake_minimum_required(VERSION 3.24)

function(run)
    execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(build_and_run)
    run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/build"
        "-DCMAKE_CXX_COMPILER=${CXX}" ${ARGV}
    )
    run("${CMAKE_COMMAND}" --build "${WORK}/build")
    run("${WORK}/build/consumer")
    foreach(part IN ITEMS data image io)
        if(EXISTS "${WORK}/build/consumer_${part}")
            run("${WORK}/build/consumer_${part}")
        endif()
    endforeach()
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")

if(WAY STREQUAL "installed")
    run("${CMAKE_COMMAND}" --install "${WEFT_BUILD}" --prefix "${WORK}/prefix")
    build_and_run("-DCMAKE_PREFIX_PATH=${WORK}/prefix")
elseif(WAY STREQUAL "subdirectory")
    build_and_run("-DWEFT_SOURCE=${WEFT}")
elseif(WAY STREQUAL "command_line")
    run("${CXX}" -std=c++20 -I "${WEFT}/include" -I "${EIGEN}" "${CMAKE_CURRENT_LIST_DIR}/main.cpp" -o "${WORK}/consumer")
    run("${WORK}/consumer")
else()
    message(FATAL_ERROR "WAY is '${WAY}'")
endif()
