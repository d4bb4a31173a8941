#pragma once

// Only for the files of this folder that talk to RocksDB.

#include <rocksdb/comparator.h>
#include <rocksdb/db.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace vicket {

/// The column families, in the order of their creation, which is that of RocksDB's ids: see key_codec.hpp.
/// Append only.
enum class family : std::uint8_t { meta, events, attempts, event_attempts, due, ids, runs, carried, late };

inline constexpr std::size_t family_count = 9;

inline const std::array<std::string, family_count> family_names{rocksdb::kDefaultColumnFamilyName,
                                                                "events",
                                                                "attempts",
                                                                "event_attempts",
                                                                "due",
                                                                "ids",
                                                                "runs",
                                                                "carried",
                                                                "late"};

/// Stands for a column family by its id alone, so that a batch can be filled before, and without, the
/// database that it is for (it may as well be shipped to another). The store checks at open that the ids are
/// these.
class family_id final : public rocksdb::ColumnFamilyHandle {
public:
  explicit family_id(family which) : which_(which) {}

  const std::string& GetName() const override { return family_names[GetID()]; }
  std::uint32_t GetID() const override { return static_cast<std::uint32_t>(which_); }
  rocksdb::Status GetDescriptor(rocksdb::ColumnFamilyDescriptor*) override {
    return rocksdb::Status::NotSupported("not an open column family");
  }
  const rocksdb::Comparator* GetComparator() const override { return rocksdb::BytewiseComparator(); }

private:
  family which_;
};

} // namespace vicket
