/* The floor that intake is measured against: each file is copied, hashed (SHA-256,
 * OpenSSL) and fsynced once, nothing more.
 *
 *   floor TARGET_FOLDER < list     one path a line
 *
 * Prints the number of files and of bytes. Build: cc -O2 -o floor floor.c -lcrypto
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[1 << 20];

static void fail(const char *what)
{
    perror(what);
    exit(74);
}

static long long carry(const char *source, const char *target)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length;
    long long total = 0;
    ssize_t count;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int in = open(source, O_RDONLY);
    int out = open(target, O_WRONLY | O_CREAT | O_EXCL, 0640);

    if (in < 0 || out < 0 || context == NULL)
        fail(source);
    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    while ((count = read(in, buffer, sizeof buffer)) > 0) {
        ssize_t done = 0;
        while (done < count) {
            ssize_t wrote = write(out, buffer + done, (size_t)(count - done));
            if (wrote < 0)
                fail(target);
            done += wrote;
        }
        EVP_DigestUpdate(context, buffer, (size_t)count);
        total += count;
    }
    if (count < 0)
        fail(source);
    EVP_DigestFinal_ex(context, digest, &length);
    EVP_MD_CTX_free(context);
    if (fsync(out) < 0)
        fail(target);
    close(out);
    close(in);
    return total;
}

int main(int argc, char **argv)
{
    char line[4096], target[8192];
    long long bytes = 0;
    long files = 0;

    if (argc != 2)
        return 64;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        snprintf(target, sizeof target, "%s/%ld", argv[1], files++);
        bytes += carry(line, target);
    }
    printf("%ld %lld\n", files, bytes);
    return 0;
}
