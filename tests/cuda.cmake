# The tests of GPUs: the same objects in two programs. One runs the kernels on the CPU, in a simulator;
# the other, where weft::cuda is built, on a GPU.

if(NOT cuda_tests)
    return()
endif()

set(cuda_sim_tests ${cuda_tests}) # what only a simulator can do: no GPU, no memory
list(FILTER cuda_sim_tests INCLUDE REGEX "^cuda_sim/")
list(REMOVE_ITEM cuda_tests ${cuda_sim_tests})
list(FILTER cuda_sim_tests INCLUDE REGEX "^cuda_sim/[^/]+$")
list(REMOVE_ITEM cuda_sim_tests cuda_sim/races_test.cpp) # a program of its own

# Under sanitizers, which take long over fibers and over models, some that reach each family of kernels.
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    list(FILTER cuda_tests INCLUDE REGEX
         "core/cuda_test|/cuda/(loss|metric|reduction|batch_norm|tally|layout|pooling|optimizer)_test"
    )
    list(REMOVE_ITEM cuda_sim_tests cuda_sim/training_test.cpp cuda_sim/library_test.cpp
         cuda_sim/files_test.cpp cuda_sim/bounds_test.cpp
    )
    # Pools have no barriers or atomics: nothing for the thread sanitizer.
    if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
        list(REMOVE_ITEM cuda_tests kernels/cuda/pooling_test.cpp)
    endif()
endif()

set(cuda_parts weft::io)
if(NOT TARGET weft::io)
    list(REMOVE_ITEM cuda_tests cuda_files_test.cpp)
    list(REMOVE_ITEM cuda_sim_tests cuda_sim/files_test.cpp)
    set(cuda_parts "")
endif()

add_library(weft_cuda_tests OBJECT ${cuda_tests})
set_target_properties(
    weft_cuda_tests
    PROPERTIES UNITY_BUILD ${WEFT_UNITY_TESTS}
               UNITY_BUILD_BATCH_SIZE 8
               UNITY_BUILD_CODE_BEFORE_INCLUDE "#pragma GCC diagnostic ignored \"-Wshadow\""
)
# These have names of their own for losses and places, which hide kernels and each other.
set_source_files_properties(
    kernels/cuda/batch_norm_test.cpp kernels/cuda/loss_test.cpp kernels/cuda/pooling_test.cpp
    PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON
)
target_precompile_headers(
    weft_cuda_tests PRIVATE <doctest/doctest.h> <Eigen/Core> "${PROJECT_SOURCE_DIR}/tests/support/models_once.hpp"
)
target_compile_definitions(
    weft_cuda_tests PUBLIC DOCTEST_CONFIG_VOID_CAST_EXPRESSIONS WEFT_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
)
target_link_libraries(weft_cuda_tests PUBLIC weft_once doctest::doctest)

# A grid of more blocks than a launch has takes the thread sanitizer a minute.
set(left_out "")
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
    set(left_out "--test-case-exclude=*than a grid has blocks*")
endif()

# weft_add_cuda_tests(<program> <label> <prefix of names> <test>...)
function(weft_add_cuda_tests program label prefix)
    foreach(test IN LISTS ARGN)
        string(REGEX REPLACE "_test\\.cpp$" "" name "${prefix}${test}")
        add_test(NAME ${name} COMMAND ${program} "--source-file=*tests/${test}" ${left_out})
        set_tests_properties(
            ${name} PROPERTIES TIMEOUT 600 LABELS ${label} FAIL_REGULAR_EXPRESSION "test cases: +0 "
        )
    endforeach()
endfunction()

# ---- Simulated ---------------------------------------------------------------------------------

# src/cuda as plain C++: headers of the simulator's stand in for those of CUDA's. Indices of kernels are
# int, and so are bounds of arrays.
file(GLOB cuda_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/cuda/*.cu")
file(GLOB simulator CONFIGURE_DEPENDS cuda_sim/sim/*.cpp)
add_library(weft_cuda_sim OBJECT ${cuda_sources} ${simulator})
set_source_files_properties(${cuda_sources} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-xc++;-Wno-sign-conversion")
target_compile_features(weft_cuda_sim PRIVATE cxx_std_20)
target_include_directories(
    weft_cuda_sim
    PRIVATE cuda_sim "${PROJECT_SOURCE_DIR}/src/cuda" "${PROJECT_SOURCE_DIR}/include"
            "${PROJECT_SOURCE_DIR}"
)
target_link_libraries(weft_cuda_sim PRIVATE weft_development)
# Its speed counts in the time of the tests.
target_compile_options(weft_cuda_sim PRIVATE -O2 -Wno-unknown-pragmas)

add_executable(weft_cuda_sim_tests main.cpp cuda_sim/orders.cpp ${cuda_sim_tests})
# Sanitizers look at indices themselves.
if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    # Of g++, so that arrays at the end of a struct are looked at, too.
    set(bounds -fsanitize=$<IF:$<CXX_COMPILER_ID:GNU>,bounds-strict,bounds>)
    target_compile_options(weft_cuda_sim PRIVATE ${bounds})
    target_sources(weft_cuda_sim_tests PRIVATE cuda_sim/bounds.cpp)
    set_source_files_properties(cuda_sim/bounds_test.cpp PROPERTIES COMPILE_OPTIONS "${bounds}")
endif()
target_include_directories(weft_cuda_sim_tests PRIVATE cuda_sim)
target_link_libraries(
    weft_cuda_sim_tests PRIVATE weft_cuda_tests weft_once weft_cuda_sim ${cuda_parts} ${CMAKE_DL_LIBS}
)
weft_add_cuda_tests(weft_cuda_sim_tests simulator "" ${cuda_tests} ${cuda_sim_tests})

# Without libraries of NVIDIA's, for which the others have stand-ins.
set(cuda_without "${PROJECT_SOURCE_DIR}/src/cuda/context.cu" "${PROJECT_SOURCE_DIR}/src/cuda/recording.cu"
                 "${PROJECT_SOURCE_DIR}/src/cuda/none/library_convolutions.cu"
                 "${PROJECT_SOURCE_DIR}/src/cuda/none/library_products.cu"
)
set_source_files_properties(${cuda_without} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-xc++;-Wno-sign-conversion")
add_executable(cuda_no_library main.cpp cuda_sim/none/library_test.cpp ${cuda_without} ${simulator})
target_include_directories(
    cuda_no_library PRIVATE cuda_sim "${PROJECT_SOURCE_DIR}/src/cuda" "${PROJECT_SOURCE_DIR}/include"
                            "${PROJECT_SOURCE_DIR}"
)
target_compile_features(cuda_no_library PRIVATE cxx_std_20)
target_compile_definitions(cuda_no_library PRIVATE DOCTEST_CONFIG_VOID_CAST_EXPRESSIONS)
target_compile_options(cuda_no_library PRIVATE -O2 -Wno-unknown-pragmas)
target_link_libraries(cuda_no_library PRIVATE weft_development doctest::doctest ${CMAKE_DL_LIBS})
add_test(NAME cuda_sim/none/library COMMAND cuda_no_library)
set_tests_properties(cuda_sim/none/library PROPERTIES LABELS simulator)

# A barrier and an atomic that are missing, for the thread sanitizer to see.
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
    add_executable(cuda_races cuda_sim/races_test.cpp ${simulator})
    target_include_directories(cuda_races PRIVATE cuda_sim "${PROJECT_SOURCE_DIR}")
    target_compile_features(cuda_races PRIVATE cxx_std_20)
    add_test(NAME cuda_sim/races COMMAND cuda_races)
endif()

# What kernels ask of memory, counted with clang's help, whatever compiles the rest.
find_program(WEFT_TRACE_CLANG NAMES clang++ clang++-20 clang++-19 clang++-18 clang++-17 clang++-16 clang++-15
                                    clang++-14
)
set(trace_clang_version 0)
if(WEFT_TRACE_CLANG)
    execute_process(
        COMMAND "${WEFT_TRACE_CLANG}" -dumpversion OUTPUT_VARIABLE trace_clang_version
        OUTPUT_STRIP_TRAILING_WHITESPACE
    )
endif()
if(trace_clang_version VERSION_GREATER_EQUAL 14)
    get_target_property(doctest_include doctest::doctest INTERFACE_INCLUDE_DIRECTORIES)
    add_test(NAME cuda_sim/transactions
             COMMAND "${CMAKE_COMMAND}" -D "CXX=${WEFT_TRACE_CLANG}" -D
                     "WORK=${CMAKE_CURRENT_BINARY_DIR}/cuda_trace" -D "DOCTEST_INCLUDE=${doctest_include}"
                     -P "${CMAKE_CURRENT_SOURCE_DIR}/cuda_sim/trace/run.cmake"
    )
    set_tests_properties(cuda_sim/transactions PROPERTIES TIMEOUT 600 LABELS "simulator;slow")
else()
    message(STATUS "clang 14 or later is not found: what kernels ask of memory is not counted")
endif()

# ---- On a GPU ----------------------------------------------------------------------------------

if(TARGET weft::cuda)
    add_executable(weft_gpu_tests cuda_gpu_main.cpp)
    target_link_libraries(weft_gpu_tests PRIVATE weft_cuda_tests weft_once weft::cuda ${cuda_parts})
    weft_add_cuda_tests(weft_gpu_tests gpu "gpu/" ${cuda_tests})
    foreach(test IN LISTS cuda_tests)
        string(REGEX REPLACE "_test\\.cpp$" "" name "gpu/${test}")
        # It ends with 77 where there is no GPU.
        set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 RUN_SERIAL ON)
    endforeach()

    add_subdirectory(cudnn)

    # Registers and shared memory of each kernel. Another nvcc allocates otherwise.
    find_package(Python3 QUIET COMPONENTS Interpreter)
    if(NOT Python3_FOUND)
        message(STATUS "Python is not found: what kernels take of a GPU is not compared")
    elseif(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 13.0 OR CMAKE_CUDA_COMPILER_VERSION
                                                            VERSION_GREATER_EQUAL 13.1
    )
        message(STATUS "nvcc is ${CMAKE_CUDA_COMPILER_VERSION}, not 13.0: what kernels take of a GPU is "
                       "not compared"
        )
    else()
        target_compile_options(weft_cuda PRIVATE --no-compress) # to read them from the library
        add_test(NAME cuda_resources
                 COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_SOURCE_DIR}/kernels/cuda/resources.py"
                         $<TARGET_FILE:weft_cuda>
        )
        # It ends with 77 where the library is not for 7.5 and 9.0.
        set_tests_properties(cuda_resources PROPERTIES SKIP_RETURN_CODE 77)
    endif()
endif()
