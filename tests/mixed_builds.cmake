# Two translation units, one with OpenMP and one without, must not link: mixed at random, each would
# run the other's copy of a function.
#   cmake -D CXX=<compiler> -D OPENMP=<flags> -D WEFT=<source> -D EIGEN=<include> -D WORK=<folder>
#         -P mixed_builds.cmake
cmake_minimum_required(VERSION 3.24)

separate_arguments(OPENMP)
set(SERIAL "")
file(MAKE_DIRECTORY "${WORK}")
set(compile "${CXX}" -std=c++20 -I "${WEFT}/include" -I "${EIGEN}")
set(sources "${CMAKE_CURRENT_LIST_DIR}/umbrella")
execute_process(
    COMMAND ${compile} -c "${sources}/main.cpp" -o "${WORK}/main.o" COMMAND_ERROR_IS_FATAL ANY
)
foreach(build IN ITEMS SERIAL OPENMP)
    execute_process(
        COMMAND ${compile} ${${build}} -c "${sources}/other.cpp" -o "${WORK}/other.o"
        COMMAND_ERROR_IS_FATAL ANY
    )
    execute_process(
        COMMAND "${CXX}" ${OPENMP} "${WORK}/main.o" "${WORK}/other.o" -o "${WORK}/mixed"
        RESULT_VARIABLE code
        ERROR_VARIABLE error
    )
    if(build STREQUAL "SERIAL" AND NOT code EQUAL 0)
        message(FATAL_ERROR "built alike, they should link: ${error}")
    elseif(build STREQUAL "OPENMP" AND NOT error MATCHES "undefined reference|Undefined symbols")
        message(FATAL_ERROR "built differently, they should not link: exit code ${code} ${error}")
    endif()
endforeach()
