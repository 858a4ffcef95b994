/* The least that taking files in can cost: copy each, hash it on the way, sync it.
 *
 *   floor SOURCE TARGET BATCH
 *
 * Every regular file of SOURCE is read once, hashed with SHA-256 and written to TARGET.
 * BATCH 0: each copy is fsynced before the next file is opened, the directory at the
 * end. BATCH n: after every n files one syncfs makes all of them durable at once.
 * Prints {"files": …, "bytes": …, "seconds": …}. No journal, no verification, no
 * metadata, no rename: whatever does more cannot be quicker.
 *
 * cc -O2 -o floor floor.c -lcrypto
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long copy_one(int from, int to, const char *name, EVP_MD_CTX *context,
			  char *buffer, int sync)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	long long total = 0;
	ssize_t count;
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW);
	int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL, 0440);

	if (in < 0 || out < 0)
		die(name);
	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	while ((count = read(in, buffer, CHUNK)) > 0) {
		EVP_DigestUpdate(context, buffer, count);
		for (ssize_t done = 0; done < count;) {
			ssize_t written = write(out, buffer + done, count - done);
			if (written < 0)
				die(name);
			done += written;
		}
		total += count;
	}
	if (count < 0)
		die(name);
	EVP_DigestFinal_ex(context, digest, NULL);
	if (sync && fsync(out) != 0)
		die(name);
	if (close(in) != 0 || close(out) != 0)
		die(name);
	return total;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	struct dirent *entry;
	long long files = 0, bytes = 0;

	if (argc != 4) {
		fprintf(stderr, "usage: floor SOURCE TARGET BATCH\n");
		return 64;
	}
	int batch = atoi(argv[3]);
	char *buffer = malloc(CHUNK);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	DIR *folder = opendir(argv[1]);
	int to = open(argv[2], O_RDONLY | O_DIRECTORY);

	if (folder == NULL || to < 0 || buffer == NULL || context == NULL)
		die("opening");
	clock_gettime(CLOCK_MONOTONIC, &start);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_type != DT_REG)
			continue;
		bytes += copy_one(dirfd(folder), to, entry->d_name, context, buffer, batch == 0);
		files++;
		if (batch > 0 && files % batch == 0 && syncfs(to) != 0)
			die("syncfs");
	}
	if (batch > 0 ? syncfs(to) != 0 : fsync(to) != 0)
		die("syncing the folder");
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("{\"files\": %lld, \"bytes\": %lld, \"seconds\": %.6f}\n", files, bytes,
	       end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9);
	return 0;
}
