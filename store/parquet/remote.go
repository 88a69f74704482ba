package parquet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 says which object storage holds a dataset.
type S3 struct {
	URL           string // "s3://bucket/prefix"
	Endpoint      string // "https://s3.example.net:9000"; empty: Amazon's
	Region        string // empty: as the storage says, "us-east-1" where it says nothing
	AccessKey     string // empty: from the environment (AWS_ACCESS_KEY_ID, ...), else from ~/.aws/credentials
	SecretKeyFile string // the file that has the secret key of AccessKey
}

// ParseURL takes the address of a dataset in object storage apart.
func ParseURL(text string) (bucket, prefix string, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", "", errors.New(`write it as "s3://bucket/prefix"`)
	}
	return u.Host, strings.Trim(u.Path, "/"), nil
}

// remote is a bucket, or a part of one.
type remote struct {
	client *minio.Client
	bucket string
	prefix string // with a slash at its end, or empty
	work   string // where copies are kept while they are read
}

// Of what hangs, nobody would hear: each request has an end, long enough for the
// largest file on a slow line.
const (
	answerTime  = 30 * time.Second
	requestTime = 10 * time.Minute
)

// newRemote makes the client. It asks nothing yet.
func newRemote(c S3, work string) (*remote, error) {
	bucket, prefix, err := ParseURL(c.URL)
	if err != nil {
		return nil, fmt.Errorf("store.parquet.url: %w", err)
	}
	endpoint, err := url.Parse(cmp.Or(c.Endpoint, "https://s3.amazonaws.com"))
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return nil, errors.New(`store.parquet.endpoint: write it as "https://host:port"`)
	}
	keys, err := c.keys()
	if err != nil {
		return nil, err
	}
	transport, err := minio.DefaultTransport(endpoint.Scheme == "https")
	if err != nil {
		return nil, err
	}
	transport.ResponseHeaderTimeout = answerTime
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds: keys, Secure: endpoint.Scheme == "https", Region: c.Region, Transport: transport,
		MaxRetries: 1, // the stage tries again, and says so
	})
	if err != nil {
		return nil, fmt.Errorf("store.parquet.endpoint: %w", err)
	}
	if prefix != "" {
		prefix += "/"
	}
	return &remote{client: client, bucket: bucket, prefix: prefix, work: work}, nil
}

func (c S3) keys() (*credentials.Credentials, error) {
	if c.AccessKey == "" {
		return credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}), nil
	}
	text, err := os.ReadFile(filepath.Clean(c.SecretKeyFile))
	if err != nil {
		return nil, fmt.Errorf("store.parquet.secret_key_file: %w", err)
	}
	key := strings.TrimSpace(string(text))
	if key == "" {
		return nil, fmt.Errorf("store.parquet.secret_key_file: %s is empty", c.SecretKeyFile)
	}
	return credentials.NewStaticV4(c.AccessKey, key, ""), nil
}

func (r *remote) String() string { return "s3://" + r.bucket + "/" + strings.TrimSuffix(r.prefix, "/") }

// notFound makes the storage's word for what is not there the usual one.
func notFound(err error) error {
	if answer := minio.ToErrorResponse(err); answer.StatusCode == http.StatusNotFound && answer.Code == minio.NoSuchKey {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// put uploads a file in one request, or, where it is large, in several whose end
// makes it appear.
func (r *remote) put(ctx context.Context, name, file string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	if _, err := r.client.FPutObject(ctx, r.bucket, r.prefix+name, file, minio.PutObjectOptions{ContentType: contentType(name)}); err != nil {
		return notFound(err)
	}
	return os.Remove(file)
}

func contentType(name string) string {
	if strings.HasSuffix(name, extension) {
		return "application/vnd.apache.parquet"
	}
	return "application/json"
}

// get downloads a file: Parquet is read from its end and in pieces, each of which
// would be a request.
func (r *remote) get(ctx context.Context, name string) (*source, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	if err := os.MkdirAll(r.work, 0o700); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(r.work, "copy-*")
	if err != nil {
		return nil, err
	}
	err = file.Close()
	if err == nil {
		err = notFound(r.client.FGetObject(ctx, r.bucket, r.prefix+name, file.Name(), minio.GetObjectOptions{}))
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(file.Name()))
	}
	return openSource(file.Name(), true)
}

func (r *remote) list(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel() // also of the goroutine that lists
	var names []string
	for object := range r.client.ListObjects(ctx, r.bucket, minio.ListObjectsOptions{Prefix: r.prefix, Recursive: true}) {
		if object.Err != nil {
			return nil, object.Err
		}
		names = append(names, strings.TrimPrefix(object.Key, r.prefix))
	}
	return names, ctx.Err()
}

func (r *remote) remove(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	err := notFound(r.client.RemoveObject(ctx, r.bucket, r.prefix+name, minio.RemoveObjectOptions{}))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
