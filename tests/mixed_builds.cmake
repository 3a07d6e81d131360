# Two translation units that hand tensors and models to each other must not link when one was built
# with OpenMP, for other instructions, or for compiled kernels, and the other was not: mixed at random, each would run the
# other's copy of a function. Two that keep theirs to themselves work in one program.
#   cmake -D CXX=<compiler> -D OPENMP=<flags> -D WEFT=<source> -D EIGEN=<include> -D WORK=<folder>
#         -P mixed_builds.cmake
cmake_minimum_required(VERSION 3.24)

separate_arguments(OPENMP)
set(sources "${CMAKE_CURRENT_LIST_DIR}/umbrella")
file(MAKE_DIRECTORY "${WORK}")

function(compile source object)
    execute_process(
        COMMAND "${CXX}" -std=c++20 -I "${WEFT}" -I "${WEFT}/include" -I "${EIGEN}" ${ARGN} -c
                "${sources}/${source}" -o "${WORK}/${object}.o"
        COMMAND_ERROR_IS_FATAL ANY
    )
endfunction()

# Whether the compiler builds for other instructions when told to.
execute_process(
    COMMAND "${CXX}" -march=native -E -x c++ /dev/null RESULT_VARIABLE no_native OUTPUT_QUIET
                                                                                 ERROR_QUIET
)
set(builds SERIAL OPENMP COMPILED)
set(COMPILED -DWEFT_COMPILED_KERNELS)
if(no_native EQUAL 0)
    set(NATIVE -march=native)
    list(APPEND builds NATIVE)
endif()

compile(main.cpp main)
foreach(build IN LISTS builds)
    compile(other.cpp other ${${build}})
    execute_process(
        COMMAND "${CXX}" ${OPENMP} "${WORK}/main.o" "${WORK}/other.o" -o "${WORK}/mixed"
        RESULT_VARIABLE code
        ERROR_VARIABLE error
    )
    if(build STREQUAL "SERIAL")
        if(NOT code EQUAL 0)
            message(FATAL_ERROR "built alike, they should link: ${error}")
        endif()
        continue()
    endif()
    foreach(symbol IN ITEMS "count" "make_model" "shared_tensor")
        if(NOT error MATCHES "(undefined reference to|Undefined symbols)[^\n]*${symbol}")
            message(FATAL_ERROR "built with ${${build}}, ${symbol} should not link: ${error}")
        endif()
    endforeach()
endforeach()

if(NATIVE)
    compile(train_main.cpp train_main)
    compile(train.cpp train_native -O2 -DNAME=train_native ${NATIVE})
    compile(train.cpp train_portable -O2 -DNAME=train_portable)
    execute_process(
        COMMAND "${CXX}" "${WORK}/train_main.o" "${WORK}/train_native.o" "${WORK}/train_portable.o"
                -o "${WORK}/train" COMMAND_ERROR_IS_FATAL ANY
    )
    execute_process(COMMAND "${WORK}/train" COMMAND_ERROR_IS_FATAL ANY)
endif()
