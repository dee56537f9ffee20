#pragma once

// Reads the tables of an open database again, a little at a time, and compares each with the checksum that
// RocksDB put into the MANIFEST when it wrote the table (see file_checksum_gen_factory): whatever has changed
// in a file is found, also in blocks that nobody reads. Pages are dropped from the page cache before they are
// read, so that it is the disk that answers.
//
// Not seen: the newest write-ahead file (its records are in memory, and in a table soon), and tables that
// were written before there were checksums; those are counted.

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/file_system.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "messages/scrub_figures.hpp"
#include "messages/storage_error.hpp"

namespace kiwi::storage {

/// To be set in the options of every database that is to be scrubbed.
std::shared_ptr<rocksdb::FileChecksumGenFactory> table_checksums();

class TableScrub {
 public:
  /// Both must outlive it. `subject`: whose damage it is.
  TableScrub(rocksdb::Env& env, rocksdb::DB& db, StorageSubject subject);

  /// Reads at most this much of one file. True: a round over all tables is done; the next call begins
  /// another. An error names the file and where; after one nothing more should be read. A table that was
  /// removed meanwhile is left out.
  Result<bool> step(std::uint64_t max_bytes);
  const ScrubFigures& figures() const { return figures_; }

 private:
  struct Table {
    std::string path;
    std::uint64_t size = 0;
    std::string checksum;
    std::string function;
  };
  void list();
  Result<void> begin(const Table& table);
  Result<void> end(const Table& table);
  StorageError damaged(const std::string& where, const std::string& what) const;

  rocksdb::Env& env_;
  rocksdb::DB& db_;
  StorageSubject subject_;
  std::vector<Table> left_;  // of this round; the last one is next, or being read
  std::unique_ptr<rocksdb::FSSequentialFile> file_;
  std::unique_ptr<rocksdb::FileChecksumGenerator> sum_;
  std::uint64_t offset_ = 0;
  std::vector<char> buffer_;
  bool round_begun_ = false;
  ScrubFigures figures_;
};

}  // namespace kiwi::storage
