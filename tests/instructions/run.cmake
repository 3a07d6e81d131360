# A step of training executes as many instructions as it did: a guard of speed without noise, by valgrind.
# Per network, the instructions of an epoch of one step on four fifths of its images, and of evaluating the
# rest: those of two epochs less those of one. Prints "skipped" where there is no valgrind, or no file for this compiler and
# Eigen. A change that is meant to change them says so, and puts the file that was written in the place of
# the old one.
#   cmake -D PROGRAM=<checksums/main.cpp, compiled> -D ARCHITECTURE=<-march> -D WORK=<folder> -P run.cmake
cmake_minimum_required(VERSION 3.24)

# In percent. The same program counts the same to 0.1 %; libraries of other versions may change more.
set(tolerance 2)
set(networks_and_images mlp 40 cnn 10 cnn-bn 5)

find_program(VALGRIND valgrind)
if(NOT VALGRIND OR NOT EXISTS "${PROGRAM}")
    message(STATUS "skipped: there is no valgrind, or no program")
    return()
endif()

function(count_instructions variable)
    execute_process(
        COMMAND "${VALGRIND}" --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null "${PROGRAM}" ${ARGN}
        ERROR_VARIABLE report
        OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY
    )
    if(NOT report MATCHES "I +refs: +([0-9,]+)")
        message(FATAL_ERROR "no count in: ${report}")
    endif()
    string(REPLACE "," "" count "${CMAKE_MATCH_1}")
    set(${variable} ${count} PARENT_SCOPE)
endfunction()

execute_process(COMMAND "${PROGRAM}" build OUTPUT_VARIABLE build COMMAND_ERROR_IS_FATAL ANY)
string(STRIP "${build}" build)
set(name "${build}_${ARCHITECTURE}.txt")
set(expected "")
if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/${name}")
    file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/${name}" expected)
endif()

set(all "")
set(changed "")
while(networks_and_images)
    list(POP_FRONT networks_and_images network images)
    count_instructions(two ${network} 2 ${images})
    count_instructions(one ${network} 1 ${images})
    math(EXPR found "${two} - ${one}")
    string(APPEND all "${network} ${found}\n")
    set(before ${expected})
    list(FILTER before INCLUDE REGEX "^${network} ")
    string(REGEX REPLACE ".* " "" before "${before}")
    if(before)
        math(EXPR percent "100 * ${found} / ${before}")
        math(EXPR low "100 - ${tolerance}")
        math(EXPR high "100 + ${tolerance}")
        message(STATUS "${network}: ${found} instructions, ${before} before: ${percent} %")
        if(percent LESS low OR percent GREATER_EQUAL high)
            list(APPEND changed ${network})
        endif()
    endif()
endwhile()
file(MAKE_DIRECTORY "${WORK}")
file(WRITE "${WORK}/${name}" "${all}")
if(NOT expected)
    message(STATUS "skipped: there are no counts for ${build}")
elseif(changed)
    message(FATAL_ERROR "other counts of instructions than before: ${changed}; this build's: ${WORK}/${name}")
endif()
