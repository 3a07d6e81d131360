# Trains for one epoch, goes on to three, and compares the results to those of three at once.
#   cmake -D PROGRAM=<fashion_mnist> -D WORK=<folder> -P resume.cmake
cmake_minimum_required(VERSION 3.24)

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
set(options --model cnn --limit 256 --patience 2 --validation-split 0.2 --augment)
function(run)
    execute_process(
        COMMAND "${PROGRAM}" ${options} ${ARGN} OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY
    )
    set(output "${output}" PARENT_SCOPE)
endfunction()
run(--epochs 3 --json "${WORK}/whole.json")
# The command of a job that restarts itself: the first time there is nothing to go on with.
run(--epochs 1 --checkpoint "${WORK}/run" --resume)
if(NOT output MATCHES "/run: no such file, so a new run begins" OR output MATCHES "Resumed")
    message(FATAL_ERROR "it does not say that it began anew:\n${output}")
endif()
run(--epochs 3 --checkpoint "${WORK}/run" --resume --json "${WORK}/resumed.json")
if(NOT output MATCHES "Resumed after epoch 1" OR output MATCHES "a new run begins")
    message(FATAL_ERROR "it began anew:\n${output}")
endif()
foreach(name IN ITEMS whole resumed)
    file(READ "${WORK}/${name}.json" ${name})
    string(REGEX REPLACE "\"(images_per_second|seconds_total)\": [^\n]*\n" "" ${name} "${${name}}")
endforeach()
if(NOT resumed STREQUAL whole)
    message(FATAL_ERROR "the resumed run gives other results:\n${resumed}\n${whole}")
endif()

# A damaged file is no missing one.
file(READ "${WORK}/run" head LIMIT 100 HEX)
foreach(damaged IN ITEMS "" "${head}")
    file(WRITE "${WORK}/damaged" "${damaged}")
    execute_process(
        COMMAND "${PROGRAM}" ${options} --epochs 1 --checkpoint "${WORK}/damaged" --resume
        RESULT_VARIABLE code ERROR_VARIABLE error OUTPUT_QUIET
    )
    file(READ "${WORK}/damaged" left)
    if(code EQUAL 0 OR NOT error MATCHES "/damaged: " OR NOT left STREQUAL damaged)
        message(FATAL_ERROR "a damaged checkpoint was not refused, or replaced: ${error}")
    endif()
endforeach()

# Nobody's run is overwritten by mistake.
execute_process(
    COMMAND "${PROGRAM}" ${options} --checkpoint "${WORK}/run" RESULT_VARIABLE code ERROR_VARIABLE error
    OUTPUT_QUIET
)
if(code EQUAL 0 OR NOT error MATCHES "holds a run already")
    message(FATAL_ERROR "an old checkpoint was not noticed: ${error}")
endif()
