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
run(--epochs 1 --checkpoint "${WORK}/run")
run(--epochs 3 --checkpoint "${WORK}/run" --resume --json "${WORK}/resumed.json")
if(NOT output MATCHES "Resumed after epoch 1")
    message(FATAL_ERROR "it began anew:\n${output}")
endif()
foreach(name IN ITEMS whole resumed)
    file(READ "${WORK}/${name}.json" ${name})
    string(REGEX REPLACE "\"(images_per_second|seconds_total)\": [^\n]*\n" "" ${name} "${${name}}")
endforeach()
if(NOT resumed STREQUAL whole)
    message(FATAL_ERROR "the resumed run gives other results:\n${resumed}\n${whole}")
endif()

# Nobody's run is overwritten by mistake.
execute_process(
    COMMAND "${PROGRAM}" ${options} --checkpoint "${WORK}/run" RESULT_VARIABLE code ERROR_VARIABLE error
    OUTPUT_QUIET
)
if(code EQUAL 0 OR NOT error MATCHES "holds a run already")
    message(FATAL_ERROR "an old checkpoint was not noticed: ${error}")
endif()
