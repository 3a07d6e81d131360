# Installs the headers and the package that find_package(weft [COMPONENTS data image io]) finds.
include_guard()
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/weft")

foreach(source IN ITEMS data/fashion_mnist io/io)
    get_filename_component(part "${source}" DIRECTORY)
    if(TARGET weft_${part})
        set(folder "${CMAKE_INSTALL_INCLUDEDIR}/weft/${part}")
        install(FILES include/weft/${source}.cpp DESTINATION "${folder}")
        target_sources(
            weft_${part}
            INTERFACE $<INSTALL_INTERFACE:$<INSTALL_PREFIX>/${CMAKE_INSTALL_INCLUDEDIR}/weft/${source}.cpp>
        )
    endif()
endforeach()

install(TARGETS weft EXPORT weft_targets FILE_SET HEADERS)
install(EXPORT weft_targets NAMESPACE weft:: DESTINATION "${package_dir}")
foreach(part IN ITEMS data image io)
    if(TARGET weft_${part})
        install(TARGETS weft_${part} EXPORT weft_${part}_targets FILE_SET HEADERS)
        install(EXPORT weft_${part}_targets NAMESPACE weft:: DESTINATION "${package_dir}")
    endif()
endforeach()

get_target_property(weft_links weft INTERFACE_LINK_LIBRARIES)
set(WEFT_USES_OPENMP FALSE)
if("OpenMP::OpenMP_CXX" IN_LIST weft_links)
    set(WEFT_USES_OPENMP TRUE)
endif()
configure_package_config_file(
    cmake/weftConfig.cmake.in weftConfig.cmake INSTALL_DESTINATION "${package_dir}"
)
write_basic_package_version_file(
    weftConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT
)
install(
    FILES "${PROJECT_BINARY_DIR}/weftConfig.cmake" "${PROJECT_BINARY_DIR}/weftConfigVersion.cmake"
          cmake/FindTurboJPEG.cmake cmake/weftFindEigen.cmake
    DESTINATION "${package_dir}"
)
