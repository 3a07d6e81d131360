# Installs the headers and the package that find_package(weft [COMPONENTS report data image io cuda]) finds.
include_guard()
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/weft")

set(source_dir "${CMAKE_INSTALL_DATADIR}/weft/src")

install(TARGETS weft EXPORT weft_targets FILE_SET HEADERS)
install(EXPORT weft_targets NAMESPACE weft:: DESTINATION "${package_dir}")
foreach(part IN LISTS weft_parts)
    foreach(source IN LISTS weft_${part}_sources)
        target_sources(
            weft_${part} INTERFACE $<INSTALL_INTERFACE:$<INSTALL_PREFIX>/${source_dir}/${source}>
        )
    endforeach()
    if(weft_${part}_sources)
        install(DIRECTORY src/${part} DESTINATION "${source_dir}")
    endif()
    install(TARGETS weft_${part} EXPORT weft_${part}_targets FILE_SET HEADERS)
    install(EXPORT weft_${part}_targets NAMESPACE weft:: DESTINATION "${package_dir}")
endforeach()

set(version_options ARCH_INDEPENDENT)
if(TARGET weft_cuda)
    install(TARGETS weft_cuda EXPORT weft_cuda_targets FILE_SET HEADERS)
    install(EXPORT weft_cuda_targets NAMESPACE weft:: DESTINATION "${package_dir}")
    set(version_options "") # a library has an architecture
endif()

get_target_property(weft_links weft INTERFACE_LINK_LIBRARIES)
set(WEFT_USES_OPENMP FALSE)
if("OpenMP::OpenMP_CXX" IN_LIST weft_links)
    set(WEFT_USES_OPENMP TRUE)
endif()
configure_package_config_file(
    cmake/weftConfig.cmake.in weftConfig.cmake INSTALL_DESTINATION "${package_dir}"
)
write_basic_package_version_file(
    weftConfigVersion.cmake COMPATIBILITY SameMinorVersion ${version_options}
)
install(
    FILES "${PROJECT_BINARY_DIR}/weftConfig.cmake" "${PROJECT_BINARY_DIR}/weftConfigVersion.cmake"
          cmake/FindTurboJPEG.cmake cmake/weftFindEigen.cmake
    DESTINATION "${package_dir}"
)
