# Which data a run validates on, which epoch is the best, and which epoch the results are of.
#   cmake -D PROGRAM=<fashion_mnist> -D WORK=<folder> -P validation_test.cmake
cmake_minimum_required(VERSION 3.24)

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")

# Sets output, and each field of the JSON file as a variable, with all its digits.
function(run)
    execute_process(
        COMMAND "${PROGRAM}" --limit 256 ${ARGN} --json "${WORK}/results.json"
        OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY
    )
    file(READ "${WORK}/results.json" json)
    foreach(field IN ITEMS epochs_run best_epoch train_loss val_loss val_accuracy test_loss
                           test_accuracy
    )
        if(NOT json MATCHES "\"${field}\": ([^,\n]+)")
            message(FATAL_ERROR "the results have no ${field}:\n${json}")
        endif()
        set(${field} "${CMAKE_MATCH_1}" PARENT_SCOPE)
    endforeach()
    set(output "${ARGN}\n${output}" PARENT_SCOPE)
endfunction()

macro(expect)
    if(NOT (${ARGN}))
        string(REPLACE ";" " " condition "${ARGN}")
        message(FATAL_ERROR "expected ${condition}: epochs_run ${epochs_run}, best_epoch ${best_epoch}, "
                            "val_loss ${val_loss}, val_accuracy ${val_accuracy}, test_loss ${test_loss}, "
                            "test_accuracy ${test_accuracy}\n${output}"
        )
    endif()
endmacro()

# The val_loss of an epoch as its line has it, with four digits.
macro(read_epoch epoch result)
    if(NOT output MATCHES "Epoch ${epoch}/[^\n]*val_loss: ([0-9.]+)")
        message(FATAL_ERROR "epoch ${epoch} has no val_loss:\n${output}")
    endif()
    set(${result} ${CMAKE_MATCH_1})
endmacro()

# The epoch is best_epoch, and the JSON file's val_loss that of the epoch named.
macro(expect_best epoch_of_scores)
    expect(best_epoch MATCHES "^[1-9][0-9]*$")
    read_epoch(${best_epoch} lowest)
    foreach(epoch RANGE 1 ${epochs_run})
        read_epoch(${epoch} other)
        expect(lowest LESS_EQUAL other)
    endforeach()
    # In steps of 0.0001, up to a half from the four digits.
    read_epoch(${epoch_of_scores} printed)
    expect(val_loss MATCHES "^([0-9]+)\\.([0-9][0-9][0-9][0-9][0-9])")
    math(EXPR digits "${CMAKE_MATCH_1}${CMAKE_MATCH_2} / 10")
    math(EXPR rounded_up "${digits} + 1")
    string(REPLACE "." "" printed "${printed}")
    math(EXPR printed "${printed} + 0")
    expect(printed EQUAL digits OR printed EQUAL rounded_up)
endmacro()

# ---- cnn validates on the test set, which changes nothing else ---------------------------------

# At this rate the lowest val_loss comes long before the last epoch.
set(options --model cnn --learning-rate 0.01)
run(${options} --epochs 6)
expect(val_loss MATCHES "^[0-9.]+$")
expect(val_accuracy STREQUAL test_accuracy)
expect_best(${epochs_run})
set(validated "${train_loss} ${test_loss}")

run(${options} --epochs 6 --validation-split 0)
expect(val_loss STREQUAL "null" AND val_accuracy STREQUAL "null" AND best_epoch STREQUAL "null")
expect("${train_loss} ${test_loss}" STREQUAL validated)

run(--model mlp --epochs 1)
expect(val_loss STREQUAL "null" AND val_accuracy STREQUAL "null" AND best_epoch STREQUAL "null")

# Nor does the test set choose the rate: val_loss no longer falls, the training loss does.
run(${options} --epochs 12 --schedule plateau)
set(validated "${train_loss} ${test_loss}")
run(${options} --epochs 12 --schedule plateau --validation-split 0)
expect("${train_loss} ${test_loss}" STREQUAL validated)

# ---- Early stopping gives the results of the best epoch, else they are the last epoch's --------

run(${options} --epochs 6 --validation-split 0.3)
expect(output MATCHES "Validation set")
expect_best(${epochs_run})
run(${options} --validation-split 0.3 --epochs 30 --patience 2)
expect(epochs_run LESS 30)
expect_best(${best_epoch})

# ---- The rates of the schedules, as the report has them ----------------------------------------

foreach(schedule IN ITEMS "piecewise 0.001 0.001 1e-04 1e-05" "step 0.001 1e-04 1[.0-9]*e-05 1[.0-9]*e-05"
                          "polynomial 0.0007[0-9]* 0.0005[0-9]* 0.0002[0-9]* [1-9][0-9.]*e-05"
)
    string(REPLACE " " ";" rates "${schedule}")
    list(POP_FRONT rates schedule)
    run(--model mlp --epochs 4 --schedule ${schedule} --report "${WORK}/${schedule}")
    file(READ "${WORK}/${schedule}/index.html" page)
    string(REGEX REPLACE ".*All numbers</summary>|</details>.*" "" page "${page}")
    set(epoch 0)
    foreach(rate IN LISTS rates)
        math(EXPR epoch "${epoch} + 1")
        set(numbers "<td>[0-9.]+</td><td>[0-9.]+</td>")
        if(NOT page MATCHES "row\">${epoch}</th>${numbers}<td>${rate}</td>")
            message(FATAL_ERROR "${schedule}: the rate of epoch ${epoch} is not ${rate}:\n${page}")
        endif()
    endforeach()
    run(--model mlp --epochs 1 --batch-size 256 --schedule ${schedule})
endforeach()
