# What a translation unit that only includes weft costs, against one that only includes Eigen/Core:
# the best of three compilations each, taken in turn, so that a busy machine slows both.
#   cmake -D CXX=<compiler> -D WEFT=<source> -D EIGEN=<include> -D WORK=<folder> -P compile_time.cmake
cmake_minimum_required(VERSION 3.24)

set(largest_ratio_percent 250)

file(MAKE_DIRECTORY "${WORK}")
file(WRITE "${WORK}/weft.cpp" "#include <weft/weft.hpp>\n")
file(WRITE "${WORK}/eigen.cpp" "#include <Eigen/Core>\n")

foreach(round RANGE 1 3)
    foreach(name IN ITEMS eigen weft)
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

math(EXPR percent "100 * ${best_weft} / ${best_eigen}")
message(STATUS "weft/weft.hpp ${best_weft} ms, Eigen/Core ${best_eigen} ms: ${percent} %, "
               "at most ${largest_ratio_percent} %"
)
if(percent GREATER largest_ratio_percent)
    message(FATAL_ERROR "including weft/weft.hpp costs too much")
endif()
