# Finds NVIDIA's cuDNN: the target cuDNN::cuDNN. Behind find_package(CUDAToolkit), beside which it may lie.
find_path(cuDNN_INCLUDE_DIR cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(cuDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
mark_as_advanced(cuDNN_INCLUDE_DIR cuDNN_LIBRARY)

set(cuDNN_VERSION "")
if(EXISTS "${cuDNN_INCLUDE_DIR}/cudnn_version.h")
    foreach(part IN ITEMS MAJOR MINOR PATCHLEVEL)
        file(STRINGS "${cuDNN_INCLUDE_DIR}/cudnn_version.h" line REGEX "^#define CUDNN_${part} +[0-9]+")
        string(REGEX MATCH "[0-9]+$" number "${line}")
        list(APPEND cuDNN_VERSION "${number}")
    endforeach()
    list(JOIN cuDNN_VERSION "." cuDNN_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
    cuDNN
    REQUIRED_VARS cuDNN_LIBRARY cuDNN_INCLUDE_DIR
    VERSION_VAR cuDNN_VERSION
)

if(cuDNN_FOUND AND NOT TARGET cuDNN::cuDNN)
    add_library(cuDNN::cuDNN UNKNOWN IMPORTED GLOBAL)
    set_target_properties(
        cuDNN::cuDNN PROPERTIES IMPORTED_LOCATION "${cuDNN_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES
                                                                     "${cuDNN_INCLUDE_DIR}"
    )
endif()
