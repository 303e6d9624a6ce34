#pragma once
// Every code that a Diagnostic of this folder may carry. IST#### are Istio's own (istioctl analyze); WEIR#### are ours
// and are never reused for another meaning.

#include "config/diagnostic.h"

namespace weir::config::code {

// Istio's.
inline constexpr const char* kReferencedResourceNotFound =
    "IST0101";                                                   // a host, subset, port or gateway that nothing defines
inline constexpr const char* kSchemaValidation = "IST0106";      // Istio's admission would refuse the object
inline constexpr const char* kUnknownAnnotation = "IST0108";     // a weir.dev/ annotation that does not exist
inline constexpr const char* kConflictingMeshHosts = "IST0109";  // two VirtualServices for one host in the mesh
inline constexpr const char* kDestinationPortRequired = "IST0112";  // several ports, and the destination names none
inline constexpr const char* kPortNameConvention = "IST0118";    // a Service port whose name does not tell the protocol
inline constexpr const char* kInvalidAnnotation = "IST0125";     // a weir.dev/ annotation with a bad value
inline constexpr const char* kNoServerCertificates = "IST0128";  // TLS without caCertificates for a whole host
inline constexpr const char* kNoServerCertificatesPort = "IST0129";  // the same for one port
inline constexpr const char* kUnreachableRule = "IST0130";           // an earlier rule takes everything
inline constexpr const char* kIneffectiveMatch = "IST0131";          // an earlier match takes all that this one would
inline constexpr const char* kHostNotFoundInGateway =
    "IST0132";                                            // no server of the gateway has the VirtualService's hosts
inline constexpr const char* kSchemaWarning = "IST0133";  // accepted by Istio with a warning; unknown field
inline constexpr const char* kServiceEntryAddressesRequired =
    "IST0134";                                                  // a TCP port without addresses takes every address
inline constexpr const char* kConflictingGateways = "IST0145";  // two Gateways with one selector, port and host
inline constexpr const char* kExternalNamePort = "IST0150";     // a port of an ExternalName whose protocol is unknown
inline constexpr const char* kGatewayPortNotOnService = "IST0162";  // a Gateway port that the gateway's Service lacks
inline constexpr const char* kInternalGateway = "IST0165";          // a gateway that Istio makes for the Gateway API
inline constexpr const char* kSubsetSelectsNoPods = "IST0173";      // a subset that selects no pods
inline constexpr const char* kUnknownDestinationRuleHost =
    "IST0174";  // a DestinationRule for a host that nothing defines
inline constexpr const char* kConflictingServiceEntryProtocol = "IST0177";  // one host and port, two protocols
inline constexpr const char* kDeprecated = "IST0002";                       // a deprecated field

// Ours: the file.
inline constexpr const char* kUnreadable = "WEIR0001";       // not YAML, or not text
inline constexpr const char* kLimit = "WEIR0002";            // larger, deeper or more aliased than we read
inline constexpr const char* kDuplicateObject = "WEIR0003";  // one object in two places
inline constexpr const char* kSkippedKind = "WEIR0004";      // a kind that Weir does not use
inline constexpr const char* kLastGood = "WEIR0005";         // a refused object, of which an older version goes on
inline constexpr const char* kShadowed = "WEIR0006";         // an object of the API server that a file stands for
inline constexpr const char* kNotEnforced = "WEIR0007";      // a policy or patch of Istio's that nobody carries out

// Ours: conditions that cannot be evaluated. Errors: to ignore a condition would send traffic where nobody asked for.
inline constexpr const char* kUnknownMatch = "WEIR0101";   // a field of a match that we do not know
inline constexpr const char* kJwtClaimMatch = "WEIR0102";  // @request.auth.claims

// Ours: fields that Istio has and Weir does not honour. Warnings that name the field, the reason and what happens
// instead.
inline constexpr const char* kMutualTls = "WEIR0201";        // tls.mode ISTIO_MUTUAL
inline constexpr const char* kTlsOrigination = "WEIR0202";   // tls.mode SIMPLE, MUTUAL
inline constexpr const char* kTunnel = "WEIR0203";           // trafficPolicy.tunnel
inline constexpr const char* kProxyProtocol = "WEIR0204";    // trafficPolicy.proxyProtocol
inline constexpr const char* kRetryBudget = "WEIR0205";      // trafficPolicy.retryBudget
inline constexpr const char* kLocality = "WEIR0207";         // localityLbSetting, zoneAwareLbSetting
inline constexpr const char* kWarmup = "WEIR0208";           // loadBalancer.warmup
inline constexpr const char* kHttp2Settings = "WEIR0209";    // h2UpgradePolicy, maxConcurrentStreams, http2KeepAlive
inline constexpr const char* kGatewayTls = "WEIR0210";       // Gateway servers that end TLS
inline constexpr const char* kGatewayBind = "WEIR0211";      // servers[].bind, defaultEndpoint
inline constexpr const char* kSubjectAltNames = "WEIR0212";  // ServiceEntry.subjectAltNames
inline constexpr const char* kDnsResolution = "WEIR0213";  // ServiceEntry.resolution DNS, DNS_ROUND_ROBIN, DYNAMIC_DNS
inline constexpr const char* kStatPrefix = "WEIR0214";     // match.statPrefix
inline constexpr const char* kNetwork = "WEIR0215";        // WorkloadEntry network: address missing, multi-network
inline constexpr const char* kUnixEndpoint = "WEIR0216";   // endpoints at unix:// paths
inline constexpr const char* kCookieAttributes = "WEIR0217";  // consistentHash.httpCookie.attributes
inline constexpr const char* kRetries = "WEIR0218";           // retries: fields, and words of retryOn, without effect
inline constexpr const char* kGrpcAbort = "WEIR0219";         // fault.abort.grpcStatus
inline constexpr const char* kEndpointPlace = "WEIR0220";  // an endpoint's locality, network, serviceAccount; location
inline constexpr const char* kMeshSetting = "WEIR0221";    // a mesh-wide setting
inline constexpr const char* kOutlierField = "WEIR0222";   // outlierDetection.failurePercentageThreshold
inline constexpr const char* kBackendUtilization = "WEIR0223";  // loadBalancer.backendUtilization
inline constexpr const char* kServiceField = "WEIR0224";        // a Kubernetes Service's sessionAffinity and the like
inline constexpr const char* kListenerSet = "WEIR0230";         // ListenerSet

}  // namespace weir::config::code

namespace weir::config {

/// True for a file that could not be read at all (exit code 65 of the command line).
[[nodiscard]] inline bool is_unreadable(const Diagnostic& diagnostic) {
  return diagnostic.code == code::kUnreadable || diagnostic.code == code::kLimit;
}

}  // namespace weir::config
