# Fuzz targets of the HTTP codec. With clang and WEIR_FUZZ=ON they are libFuzzer programs; otherwise each reads its corpus
# once, as a test.
function(weir_http_fuzz name)
  if(WEIR_FUZZ)
    add_executable(${name}_fuzz ${name}.cpp)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name}_fuzz ${name}.cpp http_run_corpus.cpp)
    add_test(NAME ${name}_fuzz COMMAND ${name}_fuzz ${CMAKE_CURRENT_LIST_DIR}/corpus/${name})
    set_tests_properties(${name}_fuzz PROPERTIES SKIP_RETURN_CODE 77)
  endif()
  target_link_libraries(${name}_fuzz PRIVATE weir_http)
endfunction()

weir_http_fuzz(http_request)
weir_http_fuzz(http_response)
weir_http_fuzz(http_chunked)
