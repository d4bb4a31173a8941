#pragma once

#include <string>

namespace vicket {

/// What a failed TLS session tells the one who looks after the endpoint, from OpenSSL's error code: a predicate to the
/// peer's address, such as "speaks no TLS 1.2 or newer". Where several causes are possible, it names them.
/// `asked_for_certificate`: the peer has asked for a client certificate. `host`: the name it was asked for.
[[nodiscard]] std::string tls_failure(unsigned long code, bool asked_for_certificate,
                                      const std::string& host);

} // namespace vicket
