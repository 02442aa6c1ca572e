/* What a disk would hold after a power cut: loaded with LD_PRELOAD into a program, it keeps a copy of the files of one
 * folder to which a write comes only when the program syncs the file.
 *
 *   AUTON8N_CUT_FROM  the folder
 *   AUTON8N_CUT_TO    where the copy is kept
 *   AUTON8N_CUT_WHOLE where it is set: several processes write the files, also in folders below. A sync then copies the
 *                     whole file, whoever wrote it, and one sync waits for the other.
 *
 * What a file holds is taken before the real sync begins and reaches the copy after it ended. A file that was removed or
 * renamed is so in the copy at once. Writes through a memory map are not seen (SQLite makes its -shm file anew). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES = 64, WAITING = 1 << 16 };

struct write_ { off_t at; size_t length; };
/* By device and inode, since several descriptors may be open on one file. */
struct file {
  dev_t device;
  ino_t inode;
  int cut;        /* it was made shorter since the last sync */
  size_t count;
  struct write_ writes[WAITING];
};

static struct file *files[FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

/* The name of the file in the folder; 0 where it is not in it. */
static int name_of(int fd, char *name, size_t size) {
  const char *from = variable("AUTON8N_CUT_FROM");
  char link[64], path[4096];
  if (!from) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  size_t prefix = strlen(from);
  if (strncmp(path, from, prefix) || path[prefix] != '/') return 0;
  snprintf(name, size, "%s", path + prefix + 1);
  return (variable("AUTON8N_CUT_WHOLE") || !strchr(name, '/')) && !strstr(name, " (deleted)");
}

static struct file *file_of(int fd) {
  struct stat info;
  char name[4096];
  if (fstat(fd, &info) || !S_ISREG(info.st_mode)) return NULL;
  for (int i = 0; i < FILES; i++)
    if (files[i] && files[i]->device == info.st_dev && files[i]->inode == info.st_ino) return files[i];
  if (!name_of(fd, name, sizeof name)) return NULL;
  for (int i = 0; i < FILES; i++) {
    if (files[i]) continue;
    files[i] = calloc(1, sizeof **files);
    if (!files[i]) abort();
    files[i]->device = info.st_dev;
    files[i]->inode = info.st_ino;
    return files[i];
  }
  fprintf(stderr, "powercut: too many files\n");
  abort();
}

static void wrote(int fd, off_t at, ssize_t length) {
  if (length <= 0 || variable("AUTON8N_CUT_WHOLE")) return;
  pthread_mutex_lock(&lock);
  struct file *file = file_of(fd);
  if (file) {
    struct write_ *last = file->count ? &file->writes[file->count - 1] : NULL;
    if (last && last->at + (off_t)last->length == at) {
      last->length += length;
    } else {
      if (file->count == WAITING) {
        fprintf(stderr, "powercut: too many writes without a sync\n");
        abort();
      }
      file->writes[file->count++] = (struct write_){at, (size_t)length};
    }
  }
  pthread_mutex_unlock(&lock);
}

struct taken { struct write_ *writes; char *bytes; size_t count; off_t size; int cut; char name[4096]; };

static int take(int fd, struct taken *taken) {
  struct stat info;
  size_t total = 0;
  memset(taken, 0, sizeof *taken);
  pthread_mutex_lock(&lock);
  struct file *file = file_of(fd);
  if (!file || !name_of(fd, taken->name, sizeof taken->name) || fstat(fd, &info)) {
    pthread_mutex_unlock(&lock);
    return 0;
  }
  for (size_t i = 0; i < file->count; i++) total += file->writes[i].length;
  taken->count = file->count;
  taken->cut = file->cut;
  taken->size = info.st_size;
  taken->writes = malloc((file->count + 1) * sizeof *taken->writes);
  taken->bytes = malloc(total + 1);
  memcpy(taken->writes, file->writes, file->count * sizeof *taken->writes);
  size_t at = 0;
  char path[4400];
  snprintf(path, sizeof path, "%s/%s", variable("AUTON8N_CUT_FROM"), taken->name);
  /* The descriptor may be open for writing only. */
  int from = open(path, O_RDONLY | O_CLOEXEC);
  for (size_t i = 0; i < file->count; i++) {
    ssize_t got = pread(from, taken->bytes + at, file->writes[i].length, file->writes[i].at);
    taken->writes[i].length = got < 0 ? 0 : (size_t)got;
    at += taken->writes[i].length;
  }
  close(from);
  file->count = 0;
  file->cut = 0;
  pthread_mutex_unlock(&lock);
  return 1;
}

static void keep(struct taken *taken) {
  static ssize_t (*real)(int, const void *, size_t, off_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  char path[4400];
  size_t at = 0;
  snprintf(path, sizeof path, "%s/%s", variable("AUTON8N_CUT_TO"), taken->name);
  int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (to < 0) abort();
  for (size_t i = 0; i < taken->count; i++) {
    if (real(to, taken->bytes + at, taken->writes[i].length, taken->writes[i].at) < 0) abort();
    at += taken->writes[i].length;
  }
  if (taken->cut && syscall(SYS_ftruncate, to, taken->size)) abort();
  close(to);
  free(taken->writes);
  free(taken->bytes);
}

#define REAL(name) ({ static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name); real; })

/* All of a file, before the sync; 0 where it is not in the folder. */
static int take_whole(int fd, struct taken *taken) {
  struct stat info;
  char path[4400];
  memset(taken, 0, sizeof *taken);
  if (fstat(fd, &info) || !S_ISREG(info.st_mode) || !name_of(fd, taken->name, sizeof taken->name)) return 0;
  snprintf(path, sizeof path, "%s/%s", variable("AUTON8N_CUT_FROM"), taken->name);
  taken->writes = malloc(sizeof *taken->writes);
  taken->bytes = malloc(info.st_size + 1);
  int from = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = pread(from, taken->bytes, info.st_size, 0);
  close(from);
  taken->writes[0] = (struct write_){0, got < 0 ? 0 : (size_t)got};
  taken->count = 1;
  taken->cut = 1;
  taken->size = taken->writes[0].length;
  return 1;
}

static int synced_whole(int fd, int (*real)(int)) {
  struct taken taken;
  char path[4400];
  snprintf(path, sizeof path, "%s.lock", variable("AUTON8N_CUT_TO"));
  pthread_mutex_lock(&lock);
  int one = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (one < 0 || flock(one, LOCK_EX)) abort();
  int known = take_whole(fd, &taken);
  int result = real(fd);
  if (known) keep(&taken);
  close(one);
  pthread_mutex_unlock(&lock);
  return result;
}

static int synced(int fd, int (*real)(int)) {
  struct taken taken;
  if (variable("AUTON8N_CUT_WHOLE")) return variable("AUTON8N_CUT_TO") ? synced_whole(fd, real) : real(fd);
  int known = take(fd, &taken);
  int result = real(fd);
  if (known) keep(&taken);
  return result;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  ssize_t done = REAL(pwrite64)(fd, bytes, length, at);
  wrote(fd, at, done);
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  ssize_t done = REAL(pwrite)(fd, bytes, length, at);
  wrote(fd, at, done);
  return done;
}

static void moved(int fd, ssize_t done) {
  if (done > 0) {
    off_t end = lseek(fd, 0, SEEK_CUR);
    if (end >= done) wrote(fd, end - done, done);
  }
}

ssize_t write(int fd, const void *bytes, size_t length) {
  ssize_t done = REAL(write)(fd, bytes, length);
  moved(fd, done);
  return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  ssize_t done = REAL(writev)(fd, parts, count);
  moved(fd, done);
  return done;
}

static void shortened(int fd) {
  if (variable("AUTON8N_CUT_WHOLE")) return;
  pthread_mutex_lock(&lock);
  struct file *file = file_of(fd);
  if (file) file->cut = 1;
  pthread_mutex_unlock(&lock);
}

int ftruncate(int fd, off_t size) {
  int result = REAL(ftruncate)(fd, size);
  if (!result) shortened(fd);
  return result;
}

int ftruncate64(int fd, off64_t size) {
  int result = REAL(ftruncate64)(fd, size);
  if (!result) shortened(fd);
  return result;
}

/* The same path in the copy; 0 where it is not in the folder. */
static int copied(const char *path, char *there, size_t size) {
  const char *from = variable("AUTON8N_CUT_FROM");
  size_t prefix = from ? strlen(from) : 0;
  char here[4096], whole[8400];
  if (*path != '/' && getcwd(here, sizeof here)) {
    snprintf(whole, sizeof whole, "%s/%s", here, path);
    path = whole;
  }
  if (!from || strncmp(path, from, prefix) || path[prefix] != '/') return 0;
  snprintf(there, size, "%s%s", variable("AUTON8N_CUT_TO"), path + prefix);
  return 1;
}

int unlink(const char *path) {
  char there[4400];
  int result = REAL(unlink)(path);
  if (!result && copied(path, there, sizeof there)) REAL(unlink)(there);
  return result;
}

int rename(const char *from, const char *to) {
  char there[4400], other[4400];
  int result = REAL(rename)(from, to);
  if (!result && copied(from, there, sizeof there) && copied(to, other, sizeof other)) REAL(rename)(there, other);
  return result;
}

int mkdir(const char *path, mode_t mode) {
  char there[4400];
  int result = REAL(mkdir)(path, mode);
  if (!result && copied(path, there, sizeof there)) REAL(mkdir)(there, mode);
  return result;
}

int rmdir(const char *path) {
  char there[4400];
  int result = REAL(rmdir)(path);
  if (!result && copied(path, there, sizeof there)) REAL(rmdir)(there);
  return result;
}
