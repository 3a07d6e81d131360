# Of each set of kernels one function is seen from outside; no function of weft is another's, but the one
# that there has to be once; and nothing is thrown, whose type would be another than the program's. No
# instruction leaves its result to the processor's maker.
#   cmake -D NM=<nm> -D OBJDUMP=<objdump> -D OBJECTS=<folder> -P symbols.cmake
cmake_minimum_required(VERSION 3.24)

find_program(GREP grep)
set(foreign_v1 "%[yz]mm|%xmm1[6-9]|%xmm[23][0-9]")
set(foreign_v3 "%zmm|%[xy]mm1[6-9]|%[xy]mm[23][0-9]")
set(own_v3 "%ymm")
set(own_v4 "%zmm")
# Approximations of 1 / x and 1 / sqrt(x).
foreach(level IN ITEMS v1 v3 v4)
    set(approximate_${level} "rcp|rsqrt")
endforeach()
foreach(level IN ITEMS v1 v3 v4)
    set(object "${OBJECTS}/${level}.o")
    execute_process(COMMAND "${NM}" "${object}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "[0-9a-f]+ [ABCDGRSTVWuivw] [^\n]+" seen "${symbols}")
    if(NOT seen MATCHES "^[0-9a-f]+ T weft_kernel_set_${level}$")
        message(SEND_ERROR "${level}.o shows more than one function: ${seen}")
    endif()
    string(REGEX MATCHALL " [Uw] [^\n]*(weft|Eigen)[^\n]*" called "${symbols}")
    list(FILTER called EXCLUDE REGEX "^ U _ZN4weft6detail9is_forkedEv$")
    if(called)
        message(SEND_ERROR "${level}.o calls functions of the program: ${called}")
    endif()
    if(symbols MATCHES " (__cxa_throw|_ZTI[^\n]*)\n")
        message(SEND_ERROR "${level}.o throws: ${CMAKE_MATCH_1}")
    endif()

    # By grep: CMake takes a hundred times as long over so much text.
    if(NOT OBJDUMP OR NOT GREP)
        continue()
    endif()
    foreach(kind IN ITEMS foreign own approximate)
        if(NOT DEFINED ${kind}_${level})
            continue()
        endif()
        execute_process(
            COMMAND "${OBJDUMP}" -d --no-show-raw-insn "${object}"
            COMMAND "${GREP}" -E -c "${${kind}_${level}}"
            OUTPUT_VARIABLE count OUTPUT_STRIP_TRAILING_WHITESPACE
        )
        if(kind STREQUAL "foreign" AND NOT count EQUAL 0)
            message(SEND_ERROR "${level}.o has ${count} instructions of a higher level")
        elseif(kind STREQUAL "approximate" AND NOT count EQUAL 0)
            message(SEND_ERROR "${level}.o has ${count} instructions whose bits differ from maker to maker")
        elseif(kind STREQUAL "own" AND count EQUAL 0)
            message(SEND_ERROR "${level}.o has no instructions of its own")
        endif()
    endforeach()
endforeach()
