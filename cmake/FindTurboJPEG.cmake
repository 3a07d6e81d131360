# Finds TurboJPEG, the interface of libjpeg-turbo: the target TurboJPEG::TurboJPEG. 2.1 is the first
# that can be asked to stop at damage and to limit scans.
find_path(TurboJPEG_INCLUDE_DIR turbojpeg.h)
find_library(TurboJPEG_LIBRARY turbojpeg)
mark_as_advanced(TurboJPEG_INCLUDE_DIR TurboJPEG_LIBRARY)

set(TurboJPEG_LIMITS_SCANS FALSE)
if(TurboJPEG_INCLUDE_DIR)
    file(STRINGS "${TurboJPEG_INCLUDE_DIR}/turbojpeg.h" line REGEX "define TJFLAG_LIMITSCANS")
    if(line)
        set(TurboJPEG_LIMITS_SCANS TRUE)
    endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
    TurboJPEG REQUIRED_VARS TurboJPEG_LIBRARY TurboJPEG_INCLUDE_DIR TurboJPEG_LIMITS_SCANS
)

if(TurboJPEG_FOUND AND NOT TARGET TurboJPEG::TurboJPEG)
    add_library(TurboJPEG::TurboJPEG UNKNOWN IMPORTED GLOBAL)
    set_target_properties(
        TurboJPEG::TurboJPEG PROPERTIES IMPORTED_LOCATION "${TurboJPEG_LIBRARY}"
                                        INTERFACE_INCLUDE_DIRECTORIES "${TurboJPEG_INCLUDE_DIR}"
    )
endif()
