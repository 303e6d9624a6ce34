#pragma once
// What is wrong with a message, and the status that says so.

#include <cstdint>
#include <string_view>

namespace weir::http {

enum class Fault : std::uint8_t {
  kNone,
  kSyntax,
  kStartLine,
  kVersion,
  kHttp2Preface,
  kMethod,
  kMethodRefused,
  kTarget,
  kTargetTooLong,
  kHost,
  kTooManyHeaders,
  kHeadTooLarge,
  kLineTooLong,
  kLineEnd,
  kFold,
  kHeaderName,
  kUnderscore,
  kHeaderValue,
  kContentLength,
  kContentTooLarge,
  kLengthAndEncoding,
  kTransferEncoding,
  kUnknownCoding,
  kEncodingInHttp10,
  kChunk,
  kChunkExtension,
  kChunkOverhead,
  kTrailer,
  kExpect,
  kUpgrade,
  kTruncated,
  kDataAfterClose,
  kStatusLine,
  kUnaskedUpgrade,
  kTooManyInterim,
  kCount,
};

/// The status that answers a request with this fault; 0 where no answer is due (kNone, kDataAfterClose).
/// A fault in an endpoint's response is 502 to the client, whatever it is.
std::uint16_t fault_status(Fault fault);
/// A few words for the log and for the body of the answer; never bytes of the peer.
std::string_view fault_text(Fault fault);

}  // namespace weir::http
