#pragma once

#include "policy/secret_box.hpp"
#include "policy/secret_memory.hpp"
#include "storage/data_folder.hpp"
#include "storage/store_status.hpp"

#include <filesystem>
#include <memory>
#include <variant>

namespace vicket {

/// A key file: 32 bytes, a regular file that nobody but its owner may read or write. Anything else, or one that is not
/// there, is refused with one sentence (`failed`).
[[nodiscard]] std::variant<secret_bytes, store_status> read_secret_key(const std::filesystem::path& file);

/// Makes one of 32 random bytes, mode 0600, synced with its folder. One that is there, whatever is in it, is left as it is.
[[nodiscard]] store_status make_secret_key(const std::filesystem::path& file);

/// The box for a folder's secrets. `key_file`: empty for `secret.key` in the folder, which is made when the folder knows of
/// no key yet. A folder that knows of none takes this one; one that has another is refused, with a sentence that names both
/// by their fingerprints, and before anything is changed. `nonces`: as `secret_box` has them.
[[nodiscard]] std::variant<std::shared_ptr<const secret_box>, store_status>
open_secret_box(data_folder& folder, const std::filesystem::path& key_file, random_source* nonces = nullptr);

} // namespace vicket
