// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SQLite VFS of a capture; see vfs.h. SQLite knows the database as "capture" and its journal as
 * "capture-journal"; there are no paths. Locks use the same bytes as SQLite's own unix VFS
 * (os_unix.c, "locking"), so both respect each other's; they are OFD locks, which belong to a
 * descriptor. There is no shared memory, so WAL mode is impossible, whatever the header says.
 */
#include "capture/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "capture/vfs_internal.h"

#define NAME_MAIN    "capture"
#define NAME_JOURNAL NAME_MAIN VFS_JOURNAL

/* The bytes that SQLite locks: https://sqlite.org/src/file/src/os.h, PENDING_BYTE. */
#define PENDING_BYTE   0x40000000
#define RESERVED_BYTE  (PENDING_BYTE + 1)
#define SHARED_FIRST   (PENDING_BYTE + 2)
#define SHARED_SIZE    510
#define RECORDING_BYTE (SHARED_FIRST + SHARED_SIZE)

/* ---- reading and writing ---- */

static bool is_late(const struct vfs *v)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec > v->deadline.tv_sec ||
	       (now.tv_sec == v->deadline.tv_sec && now.tv_nsec > v->deadline.tv_nsec);
}

static int file_read_at(sqlite3_file *file, void *buf, int len, sqlite3_int64 at)
{
	struct vfs_file *f = (struct vfs_file *)file;
	ssize_t n;

	if (f->v->reading && f->kind == VFS_FILE_JOURNAL && is_late(f->v)) {
		f->v->refusal = VFS_TOO_SLOW;
		return SQLITE_IOERR_READ;
	}
	n = f->kind == VFS_FILE_MAIN && f->v->overlay.on ? overlay_read(f->v, buf, len, at)
							 : vfs_read_fully(f->fd, buf, len, at);
	if (n < 0) {
		f->v->last_errno = (int)-n;
		return SQLITE_IOERR_READ;
	}
	if (n == len)
		return SQLITE_OK;
	memset((char *)buf + n, 0, len - n);
	return SQLITE_IOERR_SHORT_READ;
}

static int file_write_at(sqlite3_file *file, const void *buf, int len, sqlite3_int64 at)
{
	struct vfs_file *f = (struct vfs_file *)file;
	int err;

	if (f->v->reading && f->kind == VFS_FILE_JOURNAL)
		return SQLITE_IOERR_WRITE;
	err = f->v->reading && f->kind == VFS_FILE_MAIN ? overlay_write(f->v, buf, len, at)
							: vfs_write_fully(f->fd, buf, len, at);
	if (!err)
		return SQLITE_OK;
	f->v->last_errno = -err;
	return err == -ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct vfs_file *f = (struct vfs_file *)file;
	int err = 0;

	if (f->v->reading && f->kind == VFS_FILE_MAIN)
		err = overlay_truncate(f->v, size);
	else if (!f->v->reading || f->kind == VFS_FILE_TEMPORARY)
		err = ftruncate(f->fd, size) ? -errno : 0;
	if (!err)
		return SQLITE_OK;
	f->v->last_errno = -err;
	return SQLITE_IOERR_TRUNCATE;
}

static int file_sync(sqlite3_file *file, int flags)
{
	struct vfs_file *f = (struct vfs_file *)file;

	(void)flags;
	if (f->v->reading || f->kind == VFS_FILE_TEMPORARY)
		return SQLITE_OK;
	if (fsync(f->fd)) {
		f->v->last_errno = errno;
		return SQLITE_IOERR_FSYNC;
	}
	if (f->kind == VFS_FILE_JOURNAL)
		fsync(f->v->place->dir); /* nothing can be done if a directory cannot be synced */
	return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	struct vfs_file *f = (struct vfs_file *)file;
	struct stat st;

	if (f->kind == VFS_FILE_MAIN && f->v->overlay.on) {
		*size = f->v->overlay.size;
		return SQLITE_OK;
	}
	if (fstat(f->fd, &st)) {
		f->v->last_errno = errno;
		return SQLITE_IOERR_FSTAT;
	}
	*size = st.st_size;
	if (f->v->reading && f->kind == VFS_FILE_JOURNAL && *size > f->v->journal_size)
		*size = f->v->journal_size; /* the size that was checked, not a later one */
	return SQLITE_OK;
}

static int file_close(sqlite3_file *file)
{
	struct vfs_file *f = (struct vfs_file *)file;

	if (f->kind == VFS_FILE_MAIN)
		file->pMethods->xUnlock(file, SQLITE_LOCK_NONE);
	else
		close(f->fd);
	return SQLITE_OK;
}

/* ---- locks ---- */

static int lock_bytes(int fd, short type, int64_t start, int64_t len)
{
	struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(fd, F_OFD_SETLK, &fl) ? -errno : 0;
}

static bool others_lock(int fd, int64_t byte)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	return !fcntl(fd, F_OFD_GETLK, &fl) && fl.l_type != F_UNLCK;
}

static int lock_code(struct vfs *v, int err)
{
	switch (err) {
	case 0:
		return SQLITE_OK;
	case -EAGAIN:
	case -EACCES:
	case -EBUSY:
	case -EINTR:
	case -ENOLCK:
		return SQLITE_BUSY;
	default:
		v->last_errno = -err;
		return SQLITE_IOERR_LOCK;
	}
}

static int lock_shared(int fd)
{
	int err = lock_bytes(fd, F_RDLCK, PENDING_BYTE, 1);

	if (err)
		return err;
	err = lock_bytes(fd, F_RDLCK, SHARED_FIRST, SHARED_SIZE);
	lock_bytes(fd, F_UNLCK, PENDING_BYTE, 1);
	return err;
}

static int file_lock(sqlite3_file *file, int level)
{
	struct vfs_file *f = (struct vfs_file *)file;
	int err = 0;

	if (f->kind != VFS_FILE_MAIN || f->lock >= level)
		return SQLITE_OK;
	if (level == SQLITE_LOCK_SHARED) {
		err = lock_shared(f->fd);
	} else if (f->v->reading) {
		/*
		 * A reader rolls back into the overlay. SQLite's hasHotJournal() has tested the
		 * reserved lock: nobody is recording. Our shared lock keeps others from writing
		 * meanwhile.
		 */
	} else if (level == SQLITE_LOCK_RESERVED) {
		err = lock_bytes(f->fd, F_WRLCK, RESERVED_BYTE, 1);
	} else {
		if (f->lock < SQLITE_LOCK_PENDING)
			err = lock_bytes(f->fd, F_WRLCK, PENDING_BYTE, 1);
		if (!err)
			f->lock = SQLITE_LOCK_PENDING;
		if (!err && level == SQLITE_LOCK_EXCLUSIVE)
			err = lock_bytes(f->fd, F_WRLCK, SHARED_FIRST, SHARED_SIZE);
	}
	if (!err)
		f->lock = level;
	return lock_code(f->v, err);
}

static int file_unlock(sqlite3_file *file, int level)
{
	struct vfs_file *f = (struct vfs_file *)file;
	int err = 0;

	if (f->kind != VFS_FILE_MAIN || f->lock <= level)
		return SQLITE_OK;
	if (level == SQLITE_LOCK_NONE)
		err = lock_bytes(f->fd, F_UNLCK, PENDING_BYTE, 2 + SHARED_SIZE);
	else if (!f->v->reading)
		err = lock_bytes(f->fd, F_RDLCK, SHARED_FIRST, SHARED_SIZE)
			      ?: lock_bytes(f->fd, F_UNLCK, PENDING_BYTE, 2);
	f->lock = level;
	return err ? SQLITE_IOERR_UNLOCK : SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *file, int *out)
{
	struct vfs_file *f = (struct vfs_file *)file;

	*out = f->kind == VFS_FILE_MAIN &&
	       (f->lock > SQLITE_LOCK_SHARED || others_lock(f->fd, RESERVED_BYTE));
	return SQLITE_OK;
}

int vfs_recording_begin(int fd)
{
	return lock_bytes(fd, F_WRLCK, RECORDING_BYTE, 1);
}

bool vfs_is_recorded(int fd)
{
	return others_lock(fd, RECORDING_BYTE);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
	struct vfs_file *f = (struct vfs_file *)file;

	if (op != SQLITE_FCNTL_LAST_ERRNO)
		return SQLITE_NOTFOUND;
	*(int *)arg = f->v->last_errno;
	return SQLITE_OK;
}

static int file_sector_size(sqlite3_file *file)
{
	(void)file;
	return 4096;
}

static int file_characteristics(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as SQLite's own VFS assumes */
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read_at,
	.xWrite = file_write_at,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
};

/* ---- files by name ---- */

bool vfs_has_beside(const struct place *place, const char *suffix)
{
	struct stat st;

	return !place_stat(place, suffix, &st) && (!S_ISREG(st.st_mode) || st.st_size);
}

/*
 * Does the journal end in the name of a super-journal? Rolling back would make SQLite delete that
 * file.
 */
static bool names_another_file(int fd, int64_t size)
{
	static const uint8_t magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	uint8_t tail[8];

	return size >= 8 && (vfs_read_fully(fd, tail, 8, size - 8) != 8 || !memcmp(tail, magic, 8));
}

/*
 * Open the journal beside a capture being read. Returns −1 with v->refusal set if it must not be
 * used.
 */
static int journal_open(struct vfs *v)
{
	_cleanup_close_ int fd = place_open(v->place, VFS_JOURNAL, O_RDONLY);
	struct stat st, capture;

	if (fd == -EMEDIUMTYPE)
		v->refusal = VFS_NOT_REGULAR;
	if (fd < 0) {
		v->last_errno = -fd;
		return -1;
	}
	if (fstat(fd, &st) || fstat(v->fd, &capture)) {
		v->last_errno = errno;
		return -1;
	}
	/* A journal of root is fine: a killed recording leaves one. */
	if (st.st_uid && st.st_uid != capture.st_uid)
		v->refusal = VFS_FOREIGN;
	else if (st.st_size > VFS_JOURNAL_MAX)
		v->refusal = VFS_TOO_LARGE;
	else if (names_another_file(fd, st.st_size))
		v->refusal = VFS_NAMES_FILES;
	if (v->refusal)
		return -1;
	v->journal_size = st.st_size;
	return TAKE_FD(fd);
}

/*
 * Create the journal of a capture being written. A foreign file of that name stays; the recording
 * then has no journal, and a kill during a write cannot be rolled back.
 */
static int journal_create(struct vfs *v)
{
	int fd = v->named ? place_create(v->place, VFS_JOURNAL) : place_create_unnamed(v->place);

	if (fd >= 0) {
		v->journal_named = v->named && !fstat(fd, &v->journal);
		return fd;
	}
	if (v->named && fd == -EEXIST) {
		if (!v->warned)
			log_warn(
				"%s%s exists but does not belong to this recording: if the recording is killed with -9 now, its capture can be damaged",
				v->place->name, VFS_JOURNAL);
		v->warned = true;
		fd = place_create_unnamed(v->place);
	}
	if (fd < 0)
		v->last_errno = -fd;
	return fd;
}

static int vfs_open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
			 int *flags_out)
{
	struct vfs *v = vfs->pAppData;
	struct vfs_file *f = (struct vfs_file *)file;
	int fd = -1;

	memset(f, 0, sizeof(*f));
	f->v = v;
	if (!name) {
		f->kind = VFS_FILE_TEMPORARY;
		fd = place_temporary();
		if (fd < 0)
			v->last_errno = -fd;
	} else if (!strcmp(name, NAME_MAIN)) {
		f->kind = VFS_FILE_MAIN;
		fd = v->fd;
	} else if (!strcmp(name, NAME_JOURNAL)) {
		f->kind = VFS_FILE_JOURNAL;
		fd = v->reading ? journal_open(v) : journal_create(v);
	}
	if (fd < 0)
		return SQLITE_CANTOPEN;
	f->fd = fd;
	f->base.pMethods = &methods;
	if (flags_out)
		*flags_out = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	struct vfs *v = vfs->pAppData;

	if (strcmp(name, NAME_JOURNAL))
		return SQLITE_IOERR_DELETE;
	if (v->reading) {
		v->journal_done = true;
		return SQLITE_OK;
	}
	if (v->journal_named) {
		int err = place_remove(v->place, VFS_JOURNAL, &v->journal);

		/* gone, or no longer ours: nothing to remove */
		if (err && err != -ENOENT && err != -ESTALE) {
			v->last_errno = -err;
			return SQLITE_IOERR_DELETE;
		}
		v->journal_named = false;
	}
	if (sync)
		fsync(v->place->dir);
	return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	struct vfs *v = vfs->pAppData;

	(void)flags;
	/* a recording only uses the journal it created, never one it finds */
	*out = !strcmp(name, NAME_MAIN) ||
	       (!strcmp(name, NAME_JOURNAL) && v->reading && !v->journal_done &&
		vfs_has_beside(v->place, VFS_JOURNAL));
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	return snprintf(out, size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_random(sqlite3_vfs *vfs, int len, char *out)
{
	sqlite3_vfs *base = ((struct vfs *)vfs->pAppData)->base;

	return base->xRandomness(base, len, out);
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
	sqlite3_vfs *base = ((struct vfs *)vfs->pAppData)->base;

	return base->xSleep(base, us);
}

static int vfs_time(sqlite3_vfs *vfs, double *out)
{
	sqlite3_vfs *base = ((struct vfs *)vfs->pAppData)->base;

	return base->xCurrentTime(base, out);
}

static int vfs_last_error(sqlite3_vfs *vfs, int len, char *out)
{
	(void)len;
	(void)out;
	return ((struct vfs *)vfs->pAppData)->last_errno;
}

/* ---- the whole ---- */

static int vfs_new(const struct place *place, int fd, struct vfs **out)
{
	static unsigned int count;
	struct vfs *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	snprintf(v->name, sizeof(v->name), "kmemtrace-%u", count++);
	v->place = place;
	v->fd = fd;
	v->overlay.fd = -1;
	v->base = sqlite3_vfs_find(NULL);
	v->sqlite = (sqlite3_vfs){
		.iVersion = 1,
		.szOsFile = sizeof(struct vfs_file),
		.mxPathname = 64,
		.zName = v->name,
		.pAppData = v,
		.xOpen = vfs_open_file,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xRandomness = vfs_random,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
		.xGetLastError = vfs_last_error,
	};
	if (!v->base || sqlite3_vfs_register(&v->sqlite, 0) != SQLITE_OK) {
		free(v);
		return -ENOMEM;
	}
	*out = v;
	return 0;
}

int vfs_new_writer(const struct place *place, int fd, struct vfs **out)
{
	return vfs_new(place, fd, out);
}

int vfs_new_reader(const struct place *place, int fd, const struct timespec *deadline,
		   struct vfs **out)
{
	int err = vfs_new(place, fd, out);

	if (err)
		return err;
	(*out)->reading = true;
	(*out)->deadline = *deadline;
	return 0;
}

void vfs_is_named(struct vfs *v)
{
	v->named = true;
}

enum vfs_refusal vfs_refusal(const struct vfs *v)
{
	return v->refusal;
}

int vfs_errno(const struct vfs *v)
{
	return v->last_errno;
}

ssize_t vfs_head(struct vfs *v, void *buf, size_t len)
{
	return v->overlay.on ? overlay_read(v, buf, len, 0) : vfs_read_fully(v->fd, buf, len, 0);
}

int vfs_open(struct vfs *v, sqlite3 **db)
{
	return sqlite3_open_v2(NAME_MAIN, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, v->name);
}

void vfs_free(struct vfs *v)
{
	if (!v)
		return;
	sqlite3_vfs_unregister(&v->sqlite);
	overlay_free(v);
	free(v);
}
