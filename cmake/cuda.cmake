# weft::cuda: the kernels for NVIDIA GPUs, compiled once by nvcc. Programs that use it stay C++.
include_guard()

if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
    # Not `native`, which falls back to the oldest where there is no GPU. Newer ones are compiled for by
    # the driver.
    set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 90)
endif()
enable_language(CUDA)
find_package(CUDAToolkit 12.0 REQUIRED)
# Before 3.25.2, CMake does not know nvcc 13's C++20, and would silently take C++17.
foreach(kind IN ITEMS STANDARD EXTENSION)
    if(NOT CMAKE_CUDA20_${kind}_COMPILE_OPTION)
        set(CMAKE_CUDA20_${kind}_COMPILE_OPTION -std=c++20)
    endif()
endforeach()

file(GLOB weft_cuda_sources CONFIGURE_DEPENDS src/cuda/*.cu)
option(WEFT_CUDA_CUBLASLT "cuBLASLt for products of dense layers, if a program asks for it" OFF)
if(NOT WEFT_CUDA_CUBLASLT)
    list(REMOVE_ITEM weft_cuda_sources "${PROJECT_SOURCE_DIR}/src/cuda/library_products.cu")
    list(APPEND weft_cuda_sources src/cuda/none/library_products.cu)
endif()
option(WEFT_CUDA_CUDNN "cuDNN for convolutions, if a program asks for it" OFF)
if(WEFT_CUDA_CUDNN)
    list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}") # FindcuDNN.cmake
    find_package(cuDNN 9 REQUIRED)
else()
    list(REMOVE_ITEM weft_cuda_sources "${PROJECT_SOURCE_DIR}/src/cuda/library_convolutions.cu")
    list(APPEND weft_cuda_sources src/cuda/none/library_convolutions.cu)
endif()
add_library(weft_cuda STATIC ${weft_cuda_sources})
add_library(weft::cuda ALIAS weft_cuda)
set_target_properties(
    weft_cuda
    PROPERTIES EXPORT_NAME cuda
               CUDA_STANDARD 20
               CUDA_STANDARD_REQUIRED ON
               POSITION_INDEPENDENT_CODE ON
)
target_compile_options(weft_cuda PRIVATE --expt-relaxed-constexpr --extended-lambda)
if(CMAKE_COMPILE_WARNING_AS_ERROR)
    target_compile_options(
        weft_cuda
        PRIVATE -Werror=all-warnings
                "SHELL:-Xptxas --warn-on-spills,--warn-on-local-memory-usage,--warning-as-error"
                "SHELL:-Xcompiler -Wall,-Wextra,-Wshadow,-Wconversion"
    )
endif()
target_include_directories(weft_cuda PRIVATE include src/cuda)
target_sources(weft_cuda INTERFACE FILE_SET HEADERS BASE_DIRS include FILES ${weft_cuda_headers})
# Its kernels know neither Eigen nor OpenMP, so weft is there for its users alone.
target_link_libraries(
    weft_cuda
    INTERFACE weft
    PRIVATE CUDA::cudart_static $<$<BOOL:${WEFT_CUDA_CUBLASLT}>:CUDA::cublasLt>
            $<$<BOOL:${WEFT_CUDA_CUDNN}>:cuDNN::cuDNN>
)
