// A certificate whose facts tests know.
#pragma once

#include <string_view>

namespace tributary::net::test {

// Self-made: CN=broker.plant,O=Plant; broker.plant and 192.0.2.7; 2026-11-25 to 2126-11-01.
inline constexpr std::string_view kPlantCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBwzCCAWqgAwIBAgIUYgw+/EdJiotwJEJdFUQh++luR1swCgYIKoZIzj0EAwIw
JzEVMBMGA1UEAwwMYnJva2VyLnBsYW50MQ4wDAYDVQQKDAVQbGFudDAgFw0yNjEx
MjUyMjQ4NTNaGA8yMTI2MTEwMTIyNDg1M1owJzEVMBMGA1UEAwwMYnJva2VyLnBs
YW50MQ4wDAYDVQQKDAVQbGFudDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAnt
bUbkj8xgsOpW08Z77ts7m0QAO8AhyLHH3jCXX9uTvK67sL5Nit29wH38lCEYLI1Q
oApBIY0EC2vowvuAqhejcjBwMB0GA1UdDgQWBBRdRRnPUqbOQs5njWEmgvzYCVXs
ATAfBgNVHSMEGDAWgBRdRRnPUqbOQs5njWEmgvzYCVXsATAPBgNVHRMBAf8EBTAD
AQH/MB0GA1UdEQQWMBSCDGJyb2tlci5wbGFudIcEwAACBzAKBggqhkjOPQQDAgNH
ADBEAh8cQC7IGNrgKssMnlYkJA+A4dLWUIllH2+FYT+yRRMPAiEAkTqoNqKa8Foi
Bm9KzVKCnG6TAz3D9DnUwV1iBSZ7A8U=
-----END CERTIFICATE-----
)";

}  // namespace tributary::net::test
