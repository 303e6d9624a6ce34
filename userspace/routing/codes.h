#pragma once
// Codes of the conditions that only the table as a whole shows. WEIR#### as in config/codes.h, from 0301; never reused
// for another meaning.

namespace weir::routing::code {

inline constexpr const char* kNoHealthyEndpoint = "WEIR0301";    // a destination that nobody serves
inline constexpr const char* kTooManyDestinations = "WEIR0302";  // a split that the kernel has no room for
inline constexpr const char* kTlsRoutes = "WEIR0303";            // tls[] matches on SNI
inline constexpr const char* kSharedAddress = "WEIR0304";        // two services with one address and port
inline constexpr const char* kNoAddress = "WEIR0305";            // a rule for a service that has no address to dial
inline constexpr const char* kHostWithoutService = "WEIR0306";   // a VirtualService's host that no service defines
inline constexpr const char* kBadEndpointAddress =
    "WEIR0307";  // loopback, link-local, multicast or unspecified endpoint
inline constexpr const char* kPolicyNotInKernel =
    "WEIR0308";  // a traffic policy that connections split in the kernel do not get
inline constexpr const char* kGatewayNotServed = "WEIR0309";   // a Gateway's server that this node cannot be
inline constexpr const char* kGatewayPortShared = "WEIR0310";  // servers of several kinds or gateways on one port
inline constexpr const char* kOutsideNotSplit = "WEIR0311";    // what does not hold for connections from outside

// Of the Gateway API's objects.
inline constexpr const char* kRouteParent = "WEIR0312";    // a parent that does not take a route
inline constexpr const char* kRouteBackend = "WEIR0313";   // a backend that a route may not or cannot reach
inline constexpr const char* kRouteFilter = "WEIR0314";    // a filter that nobody carries out: 500
inline constexpr const char* kRouteField = "WEIR0315";     // a field of a route that is not honoured
inline constexpr const char* kRouteKind = "WEIR0316";      // an object of the Gateway API that is not carried out
inline constexpr const char* kRouteConflict = "WEIR0317";  // HTTPRoute and GRPCRoute with one hostname

inline constexpr const char* kHttp2ByConnection = "WEIR0318";  // rules that HTTP/2 does not get

}  // namespace weir::routing::code
