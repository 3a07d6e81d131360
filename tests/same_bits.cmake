# Trains a model with 1, 2 and 7 threads: all results must be the same in every digit.
#   cmake -D PROGRAM=<fashion_mnist> -D MODEL=<id> -D WORK=<folder> -P same_bits.cmake
cmake_minimum_required(VERSION 3.24)

file(MAKE_DIRECTORY "${WORK}")
foreach(threads IN ITEMS 1 2 7)
    set(json "${WORK}/${MODEL}-${threads}.json")
    execute_process(
        COMMAND "${PROGRAM}" --model ${MODEL} --limit 80 --epochs 2 --batch-size 32 --patience 0
                --threads ${threads} --exact-threads --json "${json}"
        OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY
    )
    file(READ "${json}" results)
    foreach(field IN ITEMS train_loss train_accuracy test_loss)
        string(JSON type TYPE "${results}" ${field})
        if(NOT type STREQUAL "NUMBER")
            message(FATAL_ERROR "${field} is ${type}, expected a number")
        endif()
    endforeach()
    string(REGEX REPLACE "\"(threads|images_per_second|seconds_total)\": [^\n]*\n" "" results "${results}")
    if(threads EQUAL 1)
        set(expected "${results}")
    elseif(NOT results STREQUAL expected)
        message(FATAL_ERROR "${threads} threads give other results than 1:\n${results}\n${expected}")
    endif()
endforeach()
