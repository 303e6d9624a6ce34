# weir_bpf_skeleton(NAME SOURCE FILE): compiles a BPF program and wraps it into the header "NAME.skel.h", so that a binary carries its
# programs inside. Gives the interface library weir_bpf_NAME. Only UAPI headers are used: nothing of the build host's kernel gets in.

find_program(WEIR_BPF_CLANG NAMES clang clang-14 REQUIRED)
find_program(WEIR_BPF_STRIP NAMES llvm-strip llvm-strip-14 REQUIRED)
find_program(WEIR_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

function(weir_bpf_skeleton name)
  cmake_parse_arguments(ARG "" "SOURCE" "" ${ARGN})
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(header ${CMAKE_CURRENT_BINARY_DIR}/skeleton/${name}.skel.h)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/skeleton)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${WEIR_BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -fno-strict-aliasing
            -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -I${PROJECT_SOURCE_DIR}/bpf
            -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -MD -MF ${object}.d -MT ${object} -c ${ARG_SOURCE} -o ${object}
    COMMAND ${WEIR_BPF_STRIP} -g ${object}
    DEPENDS ${ARG_SOURCE}
    DEPFILE ${object}.d
    COMMENT "Compiling BPF object ${name}"
    VERBATIM)
  # bpftool takes the name of the skeleton's struct; maps of global data are called after it (at most 15 characters).
  add_custom_command(
    OUTPUT ${header}
    COMMAND sh -c "'${WEIR_BPFTOOL}' gen skeleton '${object}' name ${name}_bpf > '${header}.new' && mv '${header}.new' '${header}'"
    DEPENDS ${object}
    COMMENT "Generating skeleton ${name}"
    VERBATIM)
  add_custom_target(weir_bpf_${name}_header DEPENDS ${header})
  add_library(weir_bpf_${name} INTERFACE)
  add_dependencies(weir_bpf_${name} weir_bpf_${name}_header)
  target_include_directories(weir_bpf_${name} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR}/skeleton)
endfunction()
