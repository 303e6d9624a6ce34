#include "http/fault.h"

#include <array>
#include <cstddef>

namespace weir::http {
namespace {

struct Entry {
  std::uint16_t status;
  std::string_view text;
};

constexpr std::array<Entry, static_cast<std::size_t>(Fault::kCount)> kEntries = {{
    {0, "no fault"},
    {400, "not an HTTP message"},
    {400, "malformed start line"},
    {505, "HTTP version is neither 1.0 nor 1.1"},
    {505, "HTTP/2 on an HTTP/1.1 connection"},
    {400, "unknown method"},
    {405, "method refused"},
    {400, "malformed request target"},
    {414, "request target too long"},
    {400, "no valid Host"},
    {431, "too many header fields"},
    {431, "header section too large"},
    {431, "header field too long"},
    {400, "line end is not CR LF"},
    {400, "folded header line"},
    {400, "malformed header field name"},
    {400, "header field name with '_' resembles a protected field"},
    {400, "malformed header field value"},
    {400, "malformed or repeated Content-Length"},
    {413, "Content-Length too large"},
    {400, "both Content-Length and Transfer-Encoding"},
    {400, "malformed Transfer-Encoding"},
    {501, "transfer coding other than chunked"},
    {400, "Transfer-Encoding in HTTP/1.0"},
    {400, "malformed chunk"},
    {400, "chunk extensions too long"},
    {400, "chunks carry too little data"},
    {400, "malformed, forbidden or too long trailer"},
    {417, "expectation other than 100-continue"},
    {400, "upgrade or tunnel with a body"},
    {400, "message ends too early"},
    {0, "data after the last message of the connection"},
    {502, "malformed status line"},
    {502, "protocol switched without being asked"},
    {502, "too many interim responses"},
}};

}  // namespace

std::uint16_t fault_status(Fault fault) {
  return kEntries[static_cast<std::size_t>(fault)].status;
}
std::string_view fault_text(Fault fault) {
  return kEntries[static_cast<std::size_t>(fault)].text;
}

}  // namespace weir::http
