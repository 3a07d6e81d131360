# What a run writes, and that a saved model gives the same results once more.
#   cmake -D PROGRAM=<fashion_mnist> -D WORK=<folder> -D REPORTS=<docs/reports.md>
#         [-D PHOTO=<picture>] -P results_test.cmake
cmake_minimum_required(VERSION 3.24)

set(limit 200)
string(
    CONCAT ten_probabilities
           "  [0-9.e-]+  T-shirt/top\n  [0-9.e-]+  Trouser\n  [0-9.e-]+  Pullover\n"
           "  [0-9.e-]+  Dress\n  [0-9.e-]+  Coat\n  [0-9.e-]+  Sandal\n  [0-9.e-]+  Shirt\n"
           "  [0-9.e-]+  Sneaker\n  [0-9.e-]+  Bag\n  [0-9.e-]+  Ankle boot\n"
)

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
set(photo "")
if(PHOTO)
    set(photo --photo "${PHOTO}")
endif()

function(run)
    execute_process(
        COMMAND "${PROGRAM}" --limit ${limit} ${ARGN} OUTPUT_VARIABLE output
                                                                   COMMAND_ERROR_IS_FATAL ANY
    )
    set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect_failure code message)
    execute_process(
        COMMAND "${PROGRAM}" --limit ${limit} ${ARGN} RESULT_VARIABLE result ERROR_VARIABLE error
        OUTPUT_QUIET
    )
    if(NOT result EQUAL code OR NOT error MATCHES "${message}")
        message(FATAL_ERROR "${ARGN}: expected exit code ${code} and a message that matches "
                            "${message}, got ${result} and: ${error}"
        )
    endif()
endfunction()

# The value with all its digits.
function(read_field file field result)
    file(READ "${file}" json)
    if(NOT json MATCHES "\"${field}\": ([^,\n]+)")
        message(FATAL_ERROR "${file} has no ${field}:\n${json}")
    endif()
    set(${result} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

# ---- A model that is trained, and the same from its file ---------------------------------------

foreach(model IN ITEMS cnn mlp-wide)
    set(file "${WORK}/${model}.safetensors")
    set(results "${WORK}/${model}")
    run(--model ${model} --epochs 2 --save "${file}" --json "${results}-trained.json" --predictions
        "${results}-trained.csv" --report "${results}-trained" ${photo}
    )
    set(trained "${output}")
    run(--model ${model} --load "${file}" --json "${results}-loaded.json" --predictions
        "${results}-loaded.csv" --report "${results}-loaded" ${photo}
    )
    set(loaded "${output}")

    foreach(field IN ITEMS test_loss test_accuracy parameters)
        read_field("${results}-trained.json" ${field} expected)
        read_field("${results}-loaded.json" ${field} value)
        if(NOT expected MATCHES "^[0-9.e-]+$" OR NOT value STREQUAL expected)
            message(FATAL_ERROR "${model}: ${field} is ${value} when loaded, ${expected} when trained")
        endif()
    endforeach()
    read_field("${results}-loaded.json" epochs_run epochs_run)
    if(NOT epochs_run STREQUAL "0")
        message(FATAL_ERROR "${model}: a model from a file was trained for ${epochs_run} epochs")
    endif()
    foreach(field IN ITEMS seed batch_size images_per_second train_loss val_loss best_epoch)
        read_field("${results}-loaded.json" ${field} value)
        if(NOT value STREQUAL "null")
            message(FATAL_ERROR "${model}: not trained, but ${field} is ${value}")
        endif()
    endforeach()

    # ---- Predictions ---------------------------------------------------------------------------

    file(READ "${results}-trained.csv" csv)
    file(READ "${results}-loaded.csv" loaded_csv)
    if(NOT loaded_csv STREQUAL csv)
        message(FATAL_ERROR "${model}: the loaded model predicts:\n${loaded_csv}\nthe other:\n${csv}")
    endif()
    if(NOT csv MATCHES "\n$")
        message(FATAL_ERROR "${results}-trained.csv does not end with a line end")
    endif()
    file(STRINGS "${results}-trained.csv" lines)
    list(POP_FRONT lines header)
    if(NOT header STREQUAL "id,class")
        message(FATAL_ERROR "${results}-trained.csv starts with ${header}, expected id,class")
    endif()
    set(id 0)
    foreach(line IN LISTS lines)
        if(NOT line MATCHES "^${id},[0-9]$")
            message(FATAL_ERROR "${results}-trained.csv: row ${id} is ${line}")
        endif()
        math(EXPR id "${id} + 1")
    endforeach()
    if(NOT id EQUAL limit)
        message(FATAL_ERROR "${results}-trained.csv has ${id} rows, expected ${limit}")
    endif()

    # ---- Probabilities -------------------------------------------------------------------------

    set(pictures "The first test image")
    if(PHOTO)
        list(APPEND pictures "${PHOTO}")
    endif()
    foreach(picture IN LISTS pictures)
        foreach(text IN ITEMS trained loaded)
            string(FIND "${${text}}" "\n${picture}:\n" start)
            if(start EQUAL -1)
                message(FATAL_ERROR "${model}: ${picture} is not classified:\n${${text}}")
            endif()
            string(LENGTH "\n${picture}:\n" length)
            math(EXPR start "${start} + ${length}")
            string(SUBSTRING "${${text}}" ${start} -1 rest)
            if(NOT rest MATCHES "^${ten_probabilities}")
                message(FATAL_ERROR "${model}: ${picture} has other than ten probabilities:\n${rest}")
            endif()
            set(${text}_probabilities "${CMAKE_MATCH_0}")
        endforeach()
        if(NOT loaded_probabilities STREQUAL trained_probabilities)
            message(FATAL_ERROR "${model}: ${picture} has other probabilities when loaded:\n${loaded}")
        endif()
    endforeach()
endforeach()

# ---- The report has the pictures that its guide lists ------------------------------------------

file(READ "${REPORTS}" guide)
string(REGEX MATCHALL "`[a-z]+\\.svg`" pictures "${guide}")
list(LENGTH pictures count)
if(count LESS 6)
    message(FATAL_ERROR "${REPORTS} lists ${count} pictures: ${pictures}")
endif()
string(REPLACE "`" "" pictures "${pictures}")
foreach(name IN LISTS pictures ITEMS index.html)
    set(path "${WORK}/cnn-trained/${name}")
    if(NOT EXISTS "${path}")
        message(FATAL_ERROR "the report has no ${name}")
    endif()
    file(READ "${path}" text)
    if(name MATCHES "svg$" AND NOT text MATCHES "<svg.*</svg>")
        message(FATAL_ERROR "${path} is no picture")
    elseif(name STREQUAL "index.html" AND NOT text MATCHES "</html>")
        message(FATAL_ERROR "${path} is no whole page")
    endif()
endforeach()
file(READ "${WORK}/mlp-wide-loaded/index.html" text)
if(NOT text MATCHES "loaded from.*mlp-wide\\.safetensors" OR text MATCHES "batch size")
    message(FATAL_ERROR "the report of a loaded model tells of a training")
endif()

# ---- Files that hold another network -----------------------------------------------------------

expect_failure(
    2 "mlp-wide\\.safetensors: .*218058.*--model mlp expects.*101770" --model mlp --load
    "${WORK}/mlp-wide.safetensors"
)
expect_failure(
    2 "cnn\\.safetensors: .*\\(None, 28, 28, 1\\).*--model mlp expects.*\\(None, 28, 28\\)" --model mlp
    --load "${WORK}/cnn.safetensors"
)
