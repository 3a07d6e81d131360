# What it costs to compile with weft, against a translation unit that only includes Eigen/Core: one
# that only includes weft, and the quickstart. The best of three compilations each, taken in turn, so
# that a busy machine slows all.
#   cmake -D CXX=<compiler> -D WEFT=<source> -D EIGEN=<include> -D WORK=<folder> -P compile_time.cmake
cmake_minimum_required(VERSION 3.24)

set(largest_percent_weft 250)
# 660 % where it was measured, and a fifth for noise.
set(largest_percent_quickstart 800)

file(MAKE_DIRECTORY "${WORK}")
file(WRITE "${WORK}/weft.cpp" "#include <weft/weft.hpp>\n")
file(WRITE "${WORK}/eigen.cpp" "#include <Eigen/Core>\n")
file(COPY_FILE "${WEFT}/examples/quickstart.cpp" "${WORK}/quickstart.cpp")

foreach(round RANGE 1 3)
    foreach(name IN ITEMS eigen weft quickstart)
        string(TIMESTAMP start "%s%f" UTC)
        execute_process(
            COMMAND "${CXX}" -std=c++20 -O2 -I "${WEFT}/include" -I "${EIGEN}" -c "${WORK}/${name}.cpp"
                    -o "${WORK}/${name}.o"
            COMMAND_ERROR_IS_FATAL ANY
        )
        string(TIMESTAMP end "%s%f" UTC)
        math(EXPR milliseconds "(${end} - ${start}) / 1000")
        if(round EQUAL 1 OR milliseconds LESS best_${name})
            set(best_${name} ${milliseconds})
        endif()
    endforeach()
endforeach()

foreach(name IN ITEMS weft quickstart)
    math(EXPR percent "100 * ${best_${name}} / ${best_eigen}")
    message(STATUS "${name} ${best_${name}} ms, Eigen/Core ${best_eigen} ms: ${percent} %, "
                   "at most ${largest_percent_${name}} %"
    )
    if(percent GREATER largest_percent_${name})
        message(SEND_ERROR "compiling ${name}.cpp costs too much")
    endif()
endforeach()
